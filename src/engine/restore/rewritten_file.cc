#include "engine/restore/rewritten_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "os/durable_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kComparedPiece = 256 * 1024;
constexpr std::size_t kRewrittenBlock = 8192;  // what is written at least, where a byte differs

// One that may not be opened, or is no file, is replaced.
os::Fd open_restored(const fs::path& path) {
  const auto open_it = [&] {
    return os::Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  };
  os::Fd fd = open_it();
  if (fd) return fd;
  if (errno != ENOENT) ::unlink(path.c_str());
  fd = create_restored(path);
  if (!fd) fd = open_it();
  if (!fd) os::throw_errno("cannot open", path);
  return fd;
}

}  // namespace

os::Fd create_restored(const fs::path& path) {
  const auto open_it = [&] {
    return os::Fd(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  };
  os::Fd fd = open_it();
  if (!fd && errno == ENOENT) {
    os::make_directories(path.parent_path(), 0700);
    fd = open_it();
  }
  if (!fd && errno != EEXIST) os::throw_errno("cannot create", path);
  return fd;
}

RewrittenFile::RewrittenFile(fs::path path) : path_(std::move(path)), fd_(open_restored(path_)) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) os::throw_errno("cannot look at", path_);
  old_size_ = static_cast<std::uint64_t>(status.st_size);
}

void RewrittenFile::write(stream::Bytes data) {
  while (!data.empty()) {
    const stream::Bytes piece = data.first(std::min(kComparedPiece, data.size()));
    write_piece(piece);
    offset_ += piece.size();
    data = data.subspan(piece.size());
  }
}

void RewrittenFile::write_piece(stream::Bytes piece) {
  const std::size_t known = read_old(piece.size());
  const auto end_of_block = [&](std::size_t at) { return std::min(at + kRewrittenBlock, piece.size()); };
  const auto is_same = [&](std::size_t at) {
    const std::size_t end = end_of_block(at);
    return end <= known && std::memcmp(piece.data() + at, old_.data() + at, end - at) == 0;
  };
  std::size_t at = 0;
  while (at < piece.size()) {
    std::size_t end = at;
    while (end < piece.size() && !is_same(end)) end = end_of_block(end);
    os::write_all_at(fd_.get(), offset_ + at, piece.subspan(at, end - at), path_);
    at = end == at ? end_of_block(at) : end;
  }
}

// How much of the next `size` bytes the file has. What cannot be read is to be written.
std::size_t RewrittenFile::read_old(std::size_t size) {
  std::size_t known = 0;
  if (offset_ >= old_size_) return known;
  old_.resize(std::max(old_.size(), size));
  while (known < size) {
    const auto got = os::retry_on_signal([&] {
      return ::pread(fd_.get(), old_.data() + known, size - known, static_cast<off_t>(offset_ + known));
    });
    if (got <= 0) break;
    known += static_cast<std::size_t>(got);
  }
  return known;
}

void RewrittenFile::close(unsigned mode) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) os::throw_errno("cannot look at", path_);
  if (static_cast<std::uint64_t>(status.st_size) > offset_ &&
      ::ftruncate(fd_.get(), static_cast<off_t>(offset_)) != 0) {
    os::throw_errno("cannot set the size of", path_);
  }
  if ((status.st_mode & 07777U) != (mode & 0777U) && ::fchmod(fd_.get(), mode & 0777U) != 0)
    os::throw_errno("cannot set the mode of", path_);
  if (fd_.close() != 0) os::throw_errno("cannot close", path_);
}

}  // namespace barman::engine
