#include "engine/backup/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/durable_file.h"
#include "os/fault_point.h"

namespace barman::engine {

namespace {

// From this size on the file system is told the size in advance.
constexpr std::uint64_t kLargeFile = 4 * 1024 * 1024;

}  // namespace

void TreeWriter::make_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    struct stat there {};
    if (errno != EEXIST || ::lstat(path.c_str(), &there) != 0 || !S_ISDIR(there.st_mode)) {
      os::throw_errno("cannot create the directory", path);
    }
  }
  if (::chmod(path.c_str(), (mode & 0777) | 0700) != 0) os::throw_errno("cannot set the mode of", path);
}

void TreeWriter::make_symlink(const std::filesystem::path& path, const std::filesystem::path& target) {
  if (::symlink(target.c_str(), path.c_str()) != 0) os::throw_errno("cannot create the link", path);
}

void TreeWriter::begin_file(std::filesystem::path path, mode_t mode, std::uint64_t size) {
  path_ = std::move(path);
  file_ = os::Fd(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode & 0777));
  if (!file_) os::throw_errno("cannot create", path_);
  os::fault_point("backup-file-open");
  // The umask may have taken group permissions away.
  if ((mode & 0077) != 0 && ::fchmod(file_.get(), mode & 0777) != 0) {
    os::throw_errno("cannot set the mode of", path_);
  }
  write_back_.begin();
  // Only a hint: file systems that cannot do it answer with an error that means nothing. A full disk shows
  // in write().
  if (size >= kLargeFile) (void)::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  if (size >= os::kDirectFrom && os::DirectWriter::suits(file_)) direct_.begin(std::move(file_), path_);
}

void TreeWriter::write(stream::Bytes data) {
  if (!file_) return direct_.write(data);
  os::write_all(file_.get(), data, path_);
  write_back_.wrote(file_, data.size());
}

void TreeWriter::end_file() {
  if (!file_) return direct_.end();
  write_back_.end(file_);
  if (file_.close() != 0) os::throw_errno("cannot close", path_);
}

}  // namespace barman::engine
