#include "engine/wal/store_wal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "os/copy.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/fd.h"
#include "os/send_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

// Linking is not possible: another file system, one without links, or a file of another owner that the kernel
// protects.
bool wants_copy(int reason) {
  return reason == EXDEV || reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK;
}

// Removes an unfinished file: on a full disk it would take the room that the next attempt needs.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) { os::remove_file(path_); }
  ~Unfinished() { ::unlink(path_.c_str()); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void transform(const fs::path& source, const fs::path& target, const std::vector<stream::Stage>& stages,
               const std::stop_token& stop) {
  struct stat status {};
  if (::stat(source.c_str(), &status) != 0) os::throw_errno("cannot look at", source);
  const os::Fd file(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) os::throw_errno("cannot create", target);
  const auto path = stream::chain(stages, std::make_unique<os::DescriptorSink>(file.get(), target));
  stream::pump(*os::open_file(source), *path, stop);
  path->finish();
  if (::fchmod(file.get(), status.st_mode & 07777U) != 0) os::throw_errno("cannot set the mode of", target);
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  if (::futimens(file.get(), times.data()) != 0) os::throw_errno("cannot set the times of", target);
  if (::fsync(file.get()) != 0) os::throw_errno("cannot sync", target);
}

void store_copy(const fs::path& source, const fs::path& target, const std::vector<stream::Stage>& stages,
                const std::stop_token& stop) {
  // Always the same name: what a crash leaves is replaced when the file is archived again.
  const Unfinished unfinished(target.parent_path() / ("." + target.filename().native() + ".archiving.tmp"));
  const fs::path& temporary = unfinished.path();
  if (stages.empty()) {
    os::copy_whole_file(source, temporary, {.sync = true});
  } else {
    transform(source, temporary, stages, stop);
  }
  os::fault_point("archive-copied");
  if (::rename(temporary.c_str(), target.c_str()) != 0) os::throw_errno("cannot rename into place", target);
  os::fault_point("archive-renamed");
}

}  // namespace

bool is_same_file(const fs::path& source, const fs::path& target) {
  struct stat arrived {};
  struct stat archived {};
  if (::lstat(target.c_str(), &archived) != 0) os::throw_errno("cannot look at", target);
  if (::lstat(source.c_str(), &arrived) != 0) os::throw_errno("cannot look at", source);
  return arrived.st_ino == archived.st_ino && arrived.st_dev == archived.st_dev;
}

void store_wal(const fs::path& source, const fs::path& target, const std::vector<stream::Stage>& stages,
               const std::stop_token& stop) {
  os::make_directories(target.parent_path());
  if (!stages.empty()) return store_copy(source, target, stages, stop);
  os::sync_file(source);
  os::fault_point("archive-synced");
  if (::link(source.c_str(), target.c_str()) == 0) {
    os::fault_point("archive-linked");
    return;
  }
  if (!wants_copy(errno)) os::throw_errno("cannot archive " + source.native() + " as", target);
  store_copy(source, target, stages, stop);
}

void remove_source(const fs::path& source) {
  if (::unlink(source.c_str()) != 0 && errno != ENOENT) os::throw_errno("cannot remove", source);
}

}  // namespace barman::engine
