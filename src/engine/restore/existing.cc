#include "engine/restore/existing.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <optional>

#include "base/error.h"
#include "engine/restore/chain_writer.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/tree.h"
#include "pgformat/control_file.h"
#include "pgformat/incremental.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_existing(const fs::path& folder, std::string_view why) {
  throw Error(ErrorKind::kRefused,
              fmt::format("{} {}; choose another destination, or empty it yourself and restore without "
                          "--delta-restore",
                          folder.string(), why));
}

bool is_folder(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

int major_version(const catalog::BackupInfo& backup) { return backup.version.value_or(0) / 10000; }

// Of the process that postmaster.pid names. One that is gone left the file when it crashed.
bool is_server_alive(const fs::path& data) {
  const auto text = os::read_file(data / "postmaster.pid");
  if (!text) return false;
  const auto pid = static_cast<pid_t>(std::atol(text->c_str()));
  return pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH;
}

// Nothing if there is no control file that can be read: the directory may be damaged.
std::optional<std::string> system_identifier(const fs::path& data) {
  if (!is_folder(data / "global")) return std::nullopt;
  try {
    const auto text = os::read_file(data / pgformat::kControlFile);
    if (!text) return std::nullopt;
    return std::to_string(pgformat::parse_control_file(stream::bytes_of(*text)).system_identifier);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void check_data_directory(const fs::path& data, const catalog::BackupInfo& backup) {
  if (is_server_alive(data)) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format("a PostgreSQL server runs in {} (postmaster.pid names a living process): stop it, "
                    "or choose another destination",
                    data.string()));
  }
  if (is_interrupted_restore(data, data)) return;
  const auto found = system_identifier(data);
  if (found && backup.systemid) {
    if (*found == *backup.systemid) return;
    refuse_existing(data, fmt::format("belongs to another cluster: its system identifier is {}, the backup's "
                                      "is {}",
                                      *found, *backup.systemid));
  }
  const std::string version = os::read_file(data / "PG_VERSION").value_or("");
  if (version == fmt::format("{}\n", major_version(backup))) return;
  refuse_existing(
      data, fmt::format("is not empty and is no data directory of PostgreSQL {}", major_version(backup)));
}

// The data directory's own link must lead to it: what the backup recorded may be in use by another server.
void check_tablespace(const RestoreFolder& folder, const fs::path& data) {
  if (is_interrupted_restore(folder.to, data)) return;
  const fs::path link = data / "pg_tblspc" / std::to_string(folder.oid);
  std::error_code error;
  if (is_folder(data / "pg_tblspc") && fs::equivalent(link, folder.to, error)) return;
  throw Error(ErrorKind::kRefused,
              fmt::format("{} is not empty and is no tablespace of {}, it may be another server's: send the "
                          "tablespace elsewhere with --tablespace {}:DIRECTORY",
                          folder.to.string(), data.string(), folder.tablespace));
}

// The entries of the folders, each of them with what becomes of it.
class ExistingTree {
 public:
  ExistingTree(const std::vector<RestoreFolder>& folders, const HasFile& has_file,
               const catalog::BackupInfo& backup)
      : folders_(folders), has_file_(has_file), own_prefix_(fmt::format("PG_{}_", major_version(backup))) {}

  using Visit = std::function<void(const os::TreeEntry&, bool is_wanted)>;

  // Folders before what is in them. What is not ours to judge is left out.
  void visit(const RestoreFolder& folder, const Visit& visit) const {
    os::walk_tree(folder.to, [&](const os::TreeEntry& entry) {
      if (is_apart(folder, entry)) return false;
      visit(entry, is_wanted(folder, entry));
      return true;
    });
  }

 private:
  [[nodiscard]] bool is_apart(const RestoreFolder& folder, const os::TreeEntry& entry) const {
    const fs::path& path = entry.relative;
    if (path == kIncompleteMark || path == "lost+found") return true;
    const bool is_at_top = !path.has_parent_path();
    if (folder.oid != 0) return is_at_top && !path.native().starts_with(own_prefix_);
    if (entry.kind != os::EntryKind::kDirectory) return false;
    if (path == "log" || path == "pg_log") return true;
    return std::ranges::any_of(folders_,
                               [&](const RestoreFolder& other) { return other.to == folder.to / path; });
  }

  // A file of the backup at its place. One with several names would be changed under all of them.
  [[nodiscard]] bool is_wanted(const RestoreFolder& folder, const os::TreeEntry& entry) const {
    if (entry.kind != os::EntryKind::kFile || entry.links > 1 || entry.relative == pgformat::kControlFile)
      return false;
    const std::string path = folder.oid == 0
                                 ? entry.relative.string()
                                 : fmt::format("pg_tblspc/{}/{}", folder.oid, entry.relative.string());
    if (pgformat::name_without_increment(path) || !has_file_(path)) return false;
    return restored_place(folders_, path) == folder.to / entry.relative;
  }

  const std::vector<RestoreFolder>& folders_;
  const HasFile& has_file_;
  std::string own_prefix_;  // of the folder that the cluster has in a tablespace
};

bool leads_to_tablespace(const RestoreFolder& folder, const fs::path& relative) {
  return folder.oid == 0 && relative.parent_path() == "pg_tblspc";
}

void clear_folder(const RestoreFolder& folder, const ExistingTree& tree) {
  std::vector<fs::path> folders;
  tree.visit(folder, [&](const os::TreeEntry& entry, bool is_wanted) {
    const fs::path path = folder.to / entry.relative;
    if (entry.kind == os::EntryKind::kDirectory) {
      folders.push_back(path);
    } else if (!is_wanted && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
      os::throw_errno("cannot remove", path);
    }
  });
  // Those that hold something stay; the others come back if the backup has them.
  constexpr std::array kStays = {ENOTEMPTY, EEXIST, EBUSY, ENOENT};
  for (auto path = folders.rbegin(); path != folders.rend(); ++path) {
    if (::rmdir(path->c_str()) != 0 && std::ranges::find(kStays, errno) == kStays.end()) {
      os::throw_errno("cannot remove", *path);
    }
  }
}

}  // namespace

bool is_vacant(const fs::path& folder) {
  std::error_code ignored;
  return !fs::is_directory(folder, ignored) || holds_nothing(folder);
}

Leftovers plan_existing(std::vector<RestoreFolder>& folders, const HasFile& has_file,
                        const catalog::BackupInfo& backup) {
  Leftovers leftovers;
  const fs::path& data = folders.front().to;
  const ExistingTree tree(folders, has_file, backup);
  for (RestoreFolder& folder : folders) {
    if (is_vacant(folder.to)) continue;
    if (folder.oid == 0) {
      check_data_directory(data, backup);
    } else {
      check_tablespace(folder, data);
    }
    std::uint64_t room = 0;
    tree.visit(folder, [&](const os::TreeEntry& entry, bool is_wanted) {
      if (entry.links == 1) room += entry.size;
      const bool is_link = entry.kind == os::EntryKind::kSymlink;
      if (is_link && !leads_to_tablespace(folder, entry.relative))
        leftovers.links.push_back((folder.to / entry.relative).string());
      if (is_wanted || is_link || entry.kind == os::EntryKind::kDirectory) return;
      ++leftovers.files;
      leftovers.bytes += entry.size;
    });
    folder.reused = room;
  }
  return leftovers;
}

void clear_existing(const std::vector<RestoreFolder>& folders, const HasFile& has_file,
                    const catalog::BackupInfo& backup) {
  const fs::path& data = folders.front().to;
  if (is_folder(data / "global")) os::remove_file(data / pgformat::kControlFile);
  os::fault_point("restore-control-removed");
  const ExistingTree tree(folders, has_file, backup);
  for (const RestoreFolder& folder : folders) {
    if (folder.reused) clear_folder(folder, tree);
  }
}

}  // namespace barman::engine
