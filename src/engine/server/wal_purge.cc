#include "engine/server/wal_purge.h"

#include <set>
#include <span>
#include <system_error>

#include "base/error.h"
#include "engine/wal/xlog_index.h"
#include "os/durable_file.h"
#include "os/fault_point.h"

namespace barman::engine {

namespace {

// A file that is gone already was removed by an attempt that did not come to its end.
void remove_file(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw Error(ErrorKind::kFailed, "removing " + path.native() + ": " + error.message());
}

// Makes the removals in a folder durable, and takes the folder away if nothing is left in it.
void settle(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return;
  os::sync_directory(folder);
  std::filesystem::remove(folder, error);
}

void remove_files(const Home& home, std::span<const catalog::WalEntry> entries,
                  std::vector<std::string>& removed) {
  std::set<std::filesystem::path> folders;
  for (const catalog::WalEntry& entry : entries) {
    const auto name = pgformat::parse_wal_name(entry.name);
    if (!name) continue;
    const std::filesystem::path path = home.archived(*name, entry.name);
    remove_file(path);
    folders.insert(path.parent_path());
    removed.push_back(entry.name);
    os::fault_point("purge-file");
  }
  for (const std::filesystem::path& folder : folders) settle(folder);
}

}  // namespace

std::vector<std::string> purge_wal(const Home& home, const catalog::WalRemoval& removal, Events& events) {
  std::vector<std::string> removed;
  XlogIndex(home, events)
      .remove([&](const catalog::WalEntry& entry) { return catalog::goes(removal, entry.name); },
              [&](std::span<const catalog::WalEntry> entries) { remove_files(home, entries, removed); });
  return removed;
}

}  // namespace barman::engine
