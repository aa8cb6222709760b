#include "engine/backup/archive_files.h"

#include "engine/backup/tree_writer.h"
#include "engine/events.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/tree.h"

namespace barman::engine {

void ArchiveFiles::begin() {
  os::remove_tree(folder_);
  os::make_directories(folder_);
  os::make_directories(data_, 0700);
}

std::optional<std::filesystem::path> ArchiveFiles::folder_to_fill() const {
  return form_.is_compressed ? std::nullopt : std::optional(data_);
}

void ArchiveFiles::add_tablespace(const Tablespace& tablespace) {
  TreeWriter::make_directory(folder_ / tablespace.oid, 0700);
}

BackupStorage::Archive ArchiveFiles::archive(const Tablespace& tablespace) {
  const auto path = data_ / ((tablespace.oid.empty() ? "base" : tablespace.oid) + form_.suffix);
  auto file = os::create_file(path, {.must_be_new = true, .is_large = true});
  return {.whole = stream::chain(form_.stages, std::move(file))};
}

std::unique_ptr<stream::Sink> ArchiveFiles::manifest() {
  return os::create_file(data_ / kManifestFile, {.must_be_new = true});
}

// Archives are stored by now; nothing else on the file system needs to be waited for.
void ArchiveFiles::finish(const std::stop_token& stop) {
  events_.progress({.phase = "syncing"});
  os::sync_tree(folder_, 1, stop);
  os::sync_directory(folder_.parent_path());
  os::fault_point("backup-synced");
}

}  // namespace barman::engine
