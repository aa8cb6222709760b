#include "os/file_content.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::os {
namespace {

Fd open_or_throw(const std::filesystem::path& path) {
  Fd fd(retry_on_signal([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!fd) throw_errno("cannot open", path);
  return fd;
}

std::uint64_t size_of(const Fd& fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_errno("cannot look at", path);
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

FileContent::FileContent(const std::filesystem::path& path)
    : path_(path), fd_(open_or_throw(path)), size_(size_of(fd_, path)) {}

void FileContent::read(std::uint64_t offset, stream::Buffer into) {
  const bool is_short = read_at(fd_.get(), offset, into, path_) < into.size();
  const bool is_end = offset + into.size() == size_;
  if (is_short || (is_end && size_of(fd_, path_) != size_)) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{} changed while it was read; it was not stored", path_.native()));
  }
}

}  // namespace barman::os
