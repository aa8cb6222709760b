#include "os/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/fd.h"

namespace barman::os {

namespace {

int open_lock(const std::filesystem::path& path) {
  const int fd = retry_on_signal([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); });
  if (fd < 0) throw_errno("cannot open the lock file", path);
  return fd;
}

// Whether `path` is still the file that `fd` has open: a cleaner may have unlinked it meanwhile.
bool is_still(const std::filesystem::path& path, int fd) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

void write_pid(int fd, const std::filesystem::path& path) {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(fd, static_cast<off_t>(text.size())) != 0) {
    throw_errno("cannot write the lock file", path);
  }
}

// Locks the file that `path` names. An empty Fd when somebody else holds it and `operation` does not wait.
Fd lock(const std::filesystem::path& path, int operation) {
  while (true) {
    Fd fd(open_lock(path));
    if (retry_on_signal([&] { return ::flock(fd.get(), operation); }) != 0) {
      if (errno == EWOULDBLOCK) return {};
      throw_errno("cannot lock", path);
    }
    if (!is_still(path, fd.get())) continue;
    if ((operation & LOCK_EX) != 0) write_pid(fd.get(), path);
    return fd;
  }
}

}  // namespace

std::optional<LockFile> LockFile::try_acquire(const std::filesystem::path& path) {
  Fd fd = lock(path, LOCK_EX | LOCK_NB);
  if (!fd) return std::nullopt;
  return LockFile(std::move(fd), path);
}

std::optional<LockFile> LockFile::try_share(const std::filesystem::path& path) {
  Fd fd = lock(path, LOCK_SH | LOCK_NB);
  if (!fd) return std::nullopt;
  return LockFile(std::move(fd), path);
}

LockFile LockFile::acquire(const std::filesystem::path& path) { return {lock(path, LOCK_EX), path}; }

LockFile::LockFile(Fd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
LockFile::LockFile(LockFile&& other) noexcept = default;
LockFile& LockFile::operator=(LockFile&& other) noexcept = default;
LockFile::~LockFile() = default;

void LockFile::unlink() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) throw_errno("cannot remove the lock file", path_);
}

std::optional<pid_t> lock_owner(const std::filesystem::path& path) {
  const Fd fd(retry_on_signal([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); }));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno("cannot open the lock file", path);
  }
  if (retry_on_signal([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) throw_errno("cannot look at the lock", path);
  std::array<char, 32> text{};
  const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
  pid_t pid = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
  return pid;
}

}  // namespace barman::os
