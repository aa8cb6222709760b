#include "engine/restore/destination.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "os/disk.h"
#include "os/durable_file.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

bool holds_nothing(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != "lost+found") return false;  // of a mount point
  }
  return true;
}

fs::path nearest_existing(fs::path path) {
  while (!path.empty() && !fs::exists(path) && path != path.parent_path()) path = path.parent_path();
  return path.empty() ? fs::path(".") : path;
}

void check_folder(const fs::path& folder) {
  const fs::path existing = nearest_existing(folder);
  if (!fs::is_directory(existing)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("{} is not a directory: choose another destination", existing.string()));
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format("no permission to write to {}: restore as the user that owns it", existing.string()));
  }
  if (existing != folder) return;
  if (fs::exists(folder / "postmaster.pid")) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "a PostgreSQL server runs in {} (postmaster.pid is there): stop it and empty the directory, or "
            "choose another destination",
            folder.string()));
  }
  if (!holds_nothing(folder) && !fs::exists(folder / kIncompleteMark)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("the destination directory {} is not empty: empty it, or choose another one",
                            folder.string()));
  }
}

void check_room(const std::vector<RestoreFolder>& folders) {
  struct Need {
    fs::path path;
    std::uint64_t bytes = 0;
  };
  std::map<dev_t, Need> needs;
  for (const RestoreFolder& folder : folders) {
    struct stat status {};
    const fs::path existing = nearest_existing(folder.to);
    if (::stat(existing.c_str(), &status) != 0) os::throw_errno("cannot look at", existing);
    Need& need = needs[status.st_dev];
    need.path = folder.to;
    need.bytes += folder.bytes;
  }
  for (const auto& [device, need] : needs) {
    const std::uint64_t room = os::free_bytes(need.path);
    if (room < need.bytes) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format("not enough room for {}: {} needed, {} free on its file system", need.path.string(),
                      pretty_size(static_cast<double>(need.bytes)), pretty_size(static_cast<double>(room))));
    }
  }
}

void empty_folder(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != "lost+found" && entry.path().filename() != kIncompleteMark) {
      entries.push_back(entry.path());
    }
  }
  for (const fs::path& entry : entries) os::remove_tree(entry);
}

}  // namespace

void check_folders(const std::vector<RestoreFolder>& folders) {
  for (const RestoreFolder& folder : folders) check_folder(folder.to);
  check_room(folders);
}

void prepare_folders(const std::vector<RestoreFolder>& folders) {
  for (const RestoreFolder& folder : folders) {
    os::make_directories(folder.to, 0700);
    if (::chmod(folder.to.c_str(), 0700) != 0) os::throw_errno("cannot set the mode of", folder.to);
    os::write_file(folder.to / kIncompleteMark, "");
    empty_folder(folder.to);
  }
}

}  // namespace barman::engine
