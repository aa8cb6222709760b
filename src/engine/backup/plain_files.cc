#include "engine/backup/plain_files.h"

#include "engine/backup/received_files.h"
#include "engine/events.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/tree.h"

namespace barman::engine {

namespace fs = std::filesystem;

class PlainFiles::Entries final : public codec::TarReceiver {
 public:
  // Everything is written below `root`.
  Entries(PlainFiles& files, fs::path root) : files_(files), root_(std::move(root)) {}

  void begin(const codec::TarEntry& entry) override {
    kind_ = entry.kind;
    const fs::path path = root_ / entry.path;
    switch (entry.kind) {
      case codec::TarEntry::Kind::kDirectory:
        return TreeWriter::make_directory(path, entry.mode);
      case codec::TarEntry::Kind::kSymlink:
        return TreeWriter::make_symlink(path, files_.folder_ / path.filename());
      case codec::TarEntry::Kind::kFile:
        return files_.writer_->begin_file(path, entry.mode, entry.size);
    }
  }
  void data(stream::Bytes bytes) override { files_.writer_->write(bytes); }
  void end() override {
    if (kind_ == codec::TarEntry::Kind::kFile) files_.writer_->end_file();
  }

 private:
  PlainFiles& files_;
  const fs::path root_;
  codec::TarEntry::Kind kind_ = codec::TarEntry::Kind::kFile;
};

void PlainFiles::begin() {
  writer_.emplace();
  os::remove_tree(folder_);
  os::make_directories(folder_);
  os::make_directories(data_, 0700);
  sync_.emplace(folder_);
}

std::optional<fs::path> PlainFiles::folder_to_fill() const { return data_; }

void PlainFiles::add_tablespace(const Tablespace& tablespace) {
  TreeWriter::make_directory(folder_ / tablespace.oid, 0700);
}

BackupStorage::Archive PlainFiles::archive(const Tablespace& tablespace) {
  return {.entries = std::make_unique<Entries>(*this, place_of(tablespace))};
}

fs::path PlainFiles::place_of(const Tablespace& tablespace) const {
  if (tablespace.oid.empty()) return data_;
  return is_in_place(tablespace) ? data_ / kTablespaceLinks / tablespace.oid : folder_ / tablespace.oid;
}

std::unique_ptr<stream::Sink> PlainFiles::manifest() {
  return os::create_file(data_ / kManifestFile, {.must_be_new = true, .sync = false});
}

void PlainFiles::finish(const std::stop_token& stop) {
  events_.progress({.phase = "syncing"});
  writer_->finish();
  sync_->finish(stop);
  os::sync_directory(folder_.parent_path());
  os::fault_point("backup-synced");
}

std::optional<std::string> PlainFiles::find_unlisted(ReceivedFiles& received) {
  return received.find_unlisted(data_);
}

}  // namespace barman::engine
