#include "engine/restore/destination.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "os/disk.h"
#include "os/durable_file.h"
#include "os/tree.h"
#include "pgformat/control_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kRefused, message); }

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

// The path or the folder above it that can be seen.
fs::path nearest_existing(fs::path path) {
  while (!status_of(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

bool has_entry(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void check_permission(const fs::path& existing) {
  const auto status = status_of(existing);
  if (!status || !S_ISDIR(status->st_mode)) {
    refuse(fmt::format("{} is not a directory: choose another destination", existing.string()));
  }
  if (::access(existing.c_str(), R_OK | W_OK | X_OK) != 0) {
    refuse(fmt::format("no permission to write to {}: restore as the user that owns it", existing.string()));
  }
}

// A server starts only on a directory of its own user.
void check_owner(const fs::path& folder) {
  const auto status = status_of(folder);
  const uid_t user = ::geteuid();
  if (status && user != 0 && status->st_uid != user) {
    refuse(fmt::format("{} belongs to another user (uid {}): restore as that user, or to another directory",
                       folder.string(), status->st_uid));
  }
}

void check_folder(const RestoreFolder& checked, const fs::path& data) {
  const fs::path& folder = checked.to;
  const fs::path existing = nearest_existing(folder);
  check_permission(existing);
  if (existing != folder) {
    if (has_entry(folder)) refuse(fmt::format("{} is a link that leads nowhere: remove it", folder.string()));
    return;
  }
  check_owner(folder);
  if (checked.reused) return;
  if (has_entry(folder / "postmaster.pid")) {
    refuse(
        fmt::format("a PostgreSQL server runs in {} (postmaster.pid is there): stop it and empty the "
                    "directory, or choose another destination",
                    folder.string()));
  }
  if (!holds_nothing(folder) && !is_interrupted_restore(folder, data)) {
    refuse(fmt::format("the destination directory {} is not empty: empty it, or choose another one",
                       folder.string()));
  }
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

// Tablespaces may lie inside the data directory, as they may on a server; nothing else may be shared.
void check_apart(const std::vector<RestoreFolder>& folders) {
  for (std::size_t i = 0; i < folders.size(); ++i) {
    for (std::size_t k = i + 1; k < folders.size(); ++k) {
      const fs::path& one = folders[i].to;
      const fs::path& other = folders[k].to;
      const bool nested = is_inside(one, other) || (i > 0 && is_inside(other, one));
      if (nested || one == other) {
        refuse(fmt::format("{} and {} cannot both be restored to: one holds the other", one.string(),
                           other.string()));
      }
    }
  }
}

void check_room(const std::vector<RestoreFolder>& folders) {
  struct Need {
    fs::path path;
    std::uint64_t bytes = 0;
    std::uint64_t freed = 0;
  };
  std::map<dev_t, Need> needs;
  for (const RestoreFolder& folder : folders) {
    const fs::path existing = nearest_existing(folder.to);
    const auto status = status_of(existing);
    if (!status) os::throw_errno("cannot look at", existing);
    Need& need = needs[status->st_dev];
    if (need.path.empty()) need.path = folder.to;
    need.bytes += folder.bytes;
    if (existing == folder.to)
      need.freed += folder.reused ? *folder.reused : os::measure_tree(folder.to).bytes;
  }
  for (const auto& [device, need] : needs) {
    const std::uint64_t room = os::free_bytes(need.path) + need.freed;
    if (room < need.bytes) {
      refuse(fmt::format(
          "not enough room for {}: {} needed, {} free on its file system; make room or choose another place",
          need.path.string(), pretty_size(static_cast<double>(need.bytes)),
          pretty_size(static_cast<double>(room))));
    }
  }
}

void empty_folder(const fs::path& folder) {
  std::vector<fs::path> entries;
  os::walk_tree(folder, [&](const os::TreeEntry& entry) {
    if (entry.relative != "lost+found" && entry.relative != kIncompleteMark) {
      entries.push_back(folder / entry.relative);
    }
    return false;
  });
  for (const fs::path& entry : entries) os::remove_tree(entry);
}

}  // namespace

bool holds_nothing(const fs::path& folder) {
  bool nothing = true;
  os::walk_tree(folder, [&](const os::TreeEntry& entry) {
    nothing = nothing && entry.relative == "lost+found";  // of a mount point
    return false;
  });
  return nothing;
}

bool is_interrupted_restore(const fs::path& folder, const fs::path& data) {
  return has_entry(folder / kIncompleteMark) && !has_entry(data / pgformat::kControlFile);
}

void check_folders(const std::vector<RestoreFolder>& folders) {
  check_apart(folders);
  for (const RestoreFolder& folder : folders) check_folder(folder, folders.front().to);
  check_room(folders);
}

void prepare_folders(const std::vector<RestoreFolder>& folders) {
  for (const RestoreFolder& folder : folders) {
    os::make_directories(folder.to, 0700);
    if (::chmod(folder.to.c_str(), 0700) != 0) os::throw_errno("cannot set the mode of", folder.to);
    os::write_file(folder.to / kIncompleteMark, "");
    if (!folder.reused) empty_folder(folder.to);
  }
}

void remove_marks(const std::vector<RestoreFolder>& folders) {
  for (const RestoreFolder& folder : folders) os::remove_file(folder.to / kIncompleteMark);
}

}  // namespace barman::engine
