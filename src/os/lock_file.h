// Lock files: flock(LOCK_EX) on a file that holds the owner's pid, as the Python Barman does, so that
// both programs exclude one another.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "os/fd.h"

namespace barman::os {

// A held lock. Released when destroyed (the file stays). The file's mode is 0600, its text "<pid>\n".
class LockFile {
 public:
  // Nothing if somebody else holds it. Throws kFailed if the file cannot be opened (no folder, no
  // permission). Notices that the file was unlinked between open and lock (a cleaner did it) and tries again,
  // so that two owners never hold "the" lock on different files.
  static std::optional<LockFile> try_acquire(const std::filesystem::path& path);

  // Holds it together with others that share it, and keeps owners away: LOCK_SH. Leaves the text alone.
  // Nothing if an owner holds it.
  static std::optional<LockFile> try_share(const std::filesystem::path& path);

  // Waits for it.
  static LockFile acquire(const std::filesystem::path& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

  // Removes the file while it is held.
  void unlink();

 private:
  LockFile(Fd fd, std::filesystem::path path);

  Fd fd_;
  std::filesystem::path path_;
};

// The pid written in a lock file that somebody holds now; nothing if it is free or absent.
// A held file with no readable pid gives 0.
std::optional<pid_t> lock_owner(const std::filesystem::path& path);

}  // namespace barman::os
