#include "engine/backup/bucket_archives.h"

#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "engine/server/withdraw_backup.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "store/bucket.h"

namespace barman::engine {

struct BucketArchives::Series {
  Series(const Place& place, const TarSeriesForm& form, const std::string& name)
      : stem(name), begun(place.clock.now()), archives(place.bucket, place.id, name, form) {}

  const std::string stem;
  const Time begun;
  bool has_root = false;  // an entry for the folder itself
  TarSeries archives;
};

namespace {

codec::TarAttributes attributes_of(const codec::TarEntry& entry) {
  return {.mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .modified = entry.modified};
}

// Of the folder that all is in, which the server does not send; it lets a group into all of a cluster, or
// into nothing.
codec::TarAttributes attributes_of_root(const codec::TarEntry& first) {
  codec::TarAttributes attributes = attributes_of(first);
  attributes.mode = (first.mode & 0040U) != 0 ? 0750 : 0700;
  return attributes;
}

}  // namespace

class BucketArchives::Entries final : public codec::TarReceiver {
 public:
  // `prefix` is put in front of the names.
  Entries(Series& series, std::string prefix)
      : series_(series), archives_(series.archives), prefix_(std::move(prefix)) {}

  void begin(const codec::TarEntry& entry) override {
    file_ = nullptr;
    if (entry.kind == codec::TarEntry::Kind::kSymlink) return;
    codec::TarWriter& archive = archives_.entry();
    if (!std::exchange(series_.has_root, true)) archive.directory("./", attributes_of_root(entry));
    if (entry.kind == codec::TarEntry::Kind::kDirectory) {
      return archive.directory(prefix_ + entry.path, attributes_of(entry));
    }
    archive.begin_file(prefix_ + entry.path, entry.size, attributes_of(entry));
    file_ = &archive;
  }
  void data(stream::Bytes bytes) override { file_->data(bytes); }
  void end() override {
    if (file_ != nullptr) file_->end_file();
  }

 private:
  Series& series_;
  TarSeries& archives_;
  const std::string prefix_;
  codec::TarWriter* file_ = nullptr;  // that gets the file under way
};

BucketArchives::BucketArchives(Place place, TarSeriesForm form)
    : place_(std::move(place)), form_(std::move(form)) {}

BucketArchives::~BucketArchives() = default;

void BucketArchives::begin() {
  data_.reset();
  tablespace_.reset();
  stored_ = 0;
  times_.clear();
  if (std::exchange(is_retry_, true)) withdraw_backup(place_.bucket, place_.id);
}

BackupStorage::Archive BucketArchives::archive(const Tablespace& tablespace) {
  finish_tablespace();
  if (tablespace.oid.empty()) return {.entries = std::make_unique<Entries>(data_series(), "")};
  if (is_in_place(tablespace)) {
    const std::string prefix = std::string(kTablespaceLinks) + tablespace.oid + "/";
    return {.entries = std::make_unique<Entries>(data_series(), prefix)};
  }
  tablespace_ = std::make_unique<Series>(place_, form_, tablespace.oid);
  os::fault_point("backup-object-open");
  return {.entries = std::make_unique<Entries>(*tablespace_, "")};
}

BucketArchives::Series& BucketArchives::data_series() {
  if (!data_) data_ = std::make_unique<Series>(place_, form_, std::string(kDataArchive));
  return *data_;
}

void BucketArchives::finish_tablespace() {
  if (!tablespace_) return;
  complete(*tablespace_);
  tablespace_.reset();
  os::fault_point("backup-object-stored");
}

void BucketArchives::complete(Series& series) {
  series.archives.finish();
  stored_ += series.archives.stored_bytes();
  times_[series.stem] = place_.clock.now() - series.begun;
}

std::unique_ptr<stream::Sink> BucketArchives::manifest() {
  finish_tablespace();
  return os::create_file(place_.manifest);
}

void BucketArchives::finish(const std::stop_token& stop) {
  add_manifest(stop);
  complete(*data_);
  data_.reset();
  const auto object = place_.bucket.create(manifest_key(place_.id));
  stream::pump(*os::open_file(place_.manifest), *object, stop);
  object->finish();
  os::fault_point("backup-synced");
}

void BucketArchives::add_manifest(const std::stop_token& stop) {
  const auto source = os::open_file(place_.manifest);
  codec::TarWriter& archive = data_series().archives.entry();
  archive.begin_file(
      std::string(kManifestFile), std::filesystem::file_size(place_.manifest),
      {.mode = 0600,
       .uid = ::geteuid(),
       .gid = ::getegid(),
       .modified = std::chrono::floor<std::chrono::seconds>(place_.clock.now()).time_since_epoch().count()});
  std::vector<std::byte> buffer(64UL * 1024);
  while (const std::size_t size = source->read(buffer)) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    archive.data(stream::Bytes(buffer).first(size));
  }
  archive.end_file();
}

}  // namespace barman::engine
