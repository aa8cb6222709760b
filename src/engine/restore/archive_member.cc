#include "engine/restore/archive_member.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/error.h"
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWritesAhead = 8;  // decompressed pieces that wait to be taken apart

struct StoredArchive {
  fs::path place;
  ArchiveName name;
};

// In the backup's folder of archives. More than one of a stem means that somebody was at work there.
std::vector<StoredArchive> archives_in(const fs::path& folder) {
  std::vector<StoredArchive> archives;
  if (!fs::is_directory(folder)) return archives;
  os::walk_tree(folder, [&](const os::TreeEntry& entry) {
    if (entry.kind != os::EntryKind::kFile) return false;
    if (auto name = parse_archive_name(entry.relative.native())) {
      archives.push_back({.place = folder / entry.relative, .name = std::move(*name)});
    }
    return false;
  });
  return archives;
}

const StoredArchive& archive_of(const std::vector<StoredArchive>& archives, const std::string& stem,
                                const fs::path& folder) {
  const StoredArchive* found = nullptr;
  for (const StoredArchive& archive : archives) {
    if (archive.name.stem != stem) continue;
    if (found != nullptr) {
      throw Error(
          ErrorKind::kCorrupt,
          fmt::format("{} and {} should be the same: look at them and remove the one that is not whole",
                      found->place.string(), archive.place.string()));
    }
    found = &archive;
  }
  if (found != nullptr) return *found;
  throw Error(ErrorKind::kCorrupt, fmt::format("the archive {}.tar of the backup is missing in {}: restore "
                                               "another backup",
                                               stem, folder.string()));
}

// The entries of an archive as the files of a member.
class EntriesToFiles final : public codec::TarReceiver {
 public:
  EntriesToFiles(std::string prefix, MemberReceiver& receiver, Pace& pace)
      : prefix_(std::move(prefix)), receiver_(receiver), pace_(pace) {}

  void begin(const codec::TarEntry& entry) override {
    std::string path = prefix_ + entry.path;
    if (is_left_out(path)) return;
    if (entry.kind == codec::TarEntry::Kind::kDirectory) receiver_.directory(path, entry.mode);
    if (entry.kind == codec::TarEntry::Kind::kFile) {
      sink_ = receiver_.file({.path = std::move(path), .size = entry.size, .mode = entry.mode});
    }
  }
  void data(stream::Bytes bytes) override {
    if (sink_ == nullptr) return;
    sink_->write(bytes);
    pace_.took(bytes.size());
  }
  void end() override {
    if (sink_ == nullptr) return;
    sink_->finish();
    sink_.reset();
  }

 private:
  std::string prefix_;
  MemberReceiver& receiver_;
  Pace& pace_;
  std::unique_ptr<stream::Sink> sink_;
};

}  // namespace

bool is_archived(const Home& home, const catalog::BackupInfo& info) {
  const fs::path folder = home.data(info.id);
  if (fs::exists(folder / "PG_VERSION")) return false;
  // The record alone says it if the archives are gone.
  return info.compression || info.encryption || !archives_in(folder).empty();
}

ArchiveMember::ArchiveMember(const Home& home, const catalog::BackupInfo& info, WalFormat format)
    : format_(std::move(format)) {
  const fs::path folder = home.data(info.id);
  const auto stored = archives_in(folder);
  const auto add = [&](const std::string& stem, std::string prefix) {
    const StoredArchive& found = archive_of(stored, stem, folder);
    archives_.push_back({.place = found.place, .name = found.name, .prefix = std::move(prefix)});
  };
  add(std::string(kBaseArchive), "");
  const auto prefix_of = [](const std::string& oid) { return fmt::format("pg_tblspc/{}/", oid); };
  std::set<std::string> known{std::string(kBaseArchive)};
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    if (!fs::path(tablespace.location).is_absolute()) continue;
    const std::string oid = std::to_string(tablespace.oid);
    add(oid, prefix_of(oid));
    known.insert(oid);
  }
  // A tablespace in place, a folder of the data directory, is not recorded, but PostgreSQL sends it as an
  // archive of its own.
  for (const StoredArchive& archive : stored) {
    if (known.insert(archive.name.stem).second) add(archive.name.stem, prefix_of(archive.name.stem));
  }
}

std::optional<MemberReader::Known> ArchiveMember::look_at(const std::string& /*path*/, bool /*is_change*/) {
  return std::nullopt;
}

void ArchiveMember::read(MemberReceiver& receiver, const MemberReading& reading) {
  try {
    os::in_parallel(archives_.size(), reading.workers, reading.stop, [&](std::size_t i) {
      during("reading " + archives_[i].place.string(),
             [&] { read_archive(archives_[i], receiver, reading); });
    });
  } catch (const Error&) {
    // Ctrl-C ends gpg as well, which then looks like damage.
    if (reading.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    throw;
  }
}

void ArchiveMember::read_archive(const Archive& archive, MemberReceiver& receiver,
                                 const MemberReading& reading) const {
  std::vector<stream::Stage> stages;
  if (archive.name.encrypted) stages = format_.decrypting(reading.stop);
  if (archive.name.compression) {
    stages.push_back(codec::decompress(*archive.name.compression));
    stages.push_back(stream::on_own_thread(kWritesAhead));
  }
  EntriesToFiles entries(archive.prefix, receiver, reading.pace);
  const auto path = stream::chain(stages, std::make_unique<codec::TarReader>(entries));
  stream::pump(*os::open_file(archive.place), *path, reading.stop);
  path->finish();
}

}  // namespace barman::engine
