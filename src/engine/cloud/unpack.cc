#include "engine/cloud/unpack.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/server/control_under_way.h"
#include "os/durable_file.h"
#include "pgformat/control_file.h"

namespace barman::engine {
namespace {

constexpr mode_t kPermissions = 0777;

std::string parent_of(const std::string& relative) {
  const std::size_t slash = relative.rfind('/');
  return slash == std::string::npos ? std::string() : relative.substr(0, slash);
}

}  // namespace

void UnpackFolder::make(const std::string& relative) {
  const std::lock_guard lock(mutex_);
  if (relative.empty() || made_.contains(relative)) return;
  for (std::size_t end = relative.find('/');; end = relative.find('/', end + 1)) {
    const std::string part = relative.substr(0, end);
    if (!made_.contains(part)) {
      if (::mkdir((root_ / part).c_str(), 0700) != 0) {
        if (errno != EEXIST) os::throw_errno("cannot make folder", root_ / part);
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("the archive has {} both as a folder and as something else", part));
      }
      made_.insert(part);
    }
    if (end == std::string::npos) return;
  }
}

void UnpackFolder::reveal_control_file() {
  const std::filesystem::path hidden = root_ / kControlUnderWay;
  if (::access(hidden.c_str(), F_OK) == 0) os::move_file(hidden, root_ / pgformat::kControlFile);
}

void Unpack::begin(const codec::TarEntry& entry) {
  const std::string name = entry.path == pgformat::kControlFile ? kControlUnderWay : entry.path;
  path_ = folder_.place_of(name);
  if (entry.kind == codec::TarEntry::Kind::kDirectory) {
    folder_.make(name);
    if (::chmod(path_.c_str(), entry.mode & kPermissions) != 0)
      os::throw_errno("cannot set the mode of", path_);
    return;
  }
  folder_.make(parent_of(name));
  if (entry.kind == codec::TarEntry::Kind::kSymlink) {
    if (::symlink(entry.link_target.c_str(), path_.c_str()) != 0) os::throw_errno("cannot make link", path_);
    return;
  }
  file_ = os::Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) os::throw_errno("cannot create", path_);
  if (::fchmod(file_.get(), entry.mode & kPermissions) != 0) os::throw_errno("cannot set the mode of", path_);
  write_back_.begin();
}

void Unpack::data(stream::Bytes bytes) {
  os::write_all(file_.get(), bytes, path_);
  write_back_.wrote(file_, bytes.size());
}

void Unpack::end() {
  write_back_.end(file_);
  if (file_.close() != 0) os::throw_errno("cannot write", path_);
}

}  // namespace barman::engine
