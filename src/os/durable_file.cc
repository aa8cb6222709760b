#include "os/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/error.h"
#include "os/fd.h"
#include "os/write_back.h"

namespace barman::os {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

fs::path temporary_beside(const fs::path& path) {
  std::random_device random;
  char suffix[9];
  std::snprintf(suffix, sizeof suffix, "%08x", random());
  return folder_of(path) / ("." + path.filename().string() + "." + suffix + ".tmp");
}

Fd open_or_throw(const fs::path& path, int flags, mode_t mode, std::string_view doing) {
  const int fd = retry_on_signal([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) throw_errno(doing, path);
  return Fd(fd);
}

class DurableFile final : public stream::Sink {
 public:
  DurableFile(fs::path path, FileOptions options)
      : path_(std::move(path)),
        temporary_(temporary_beside(path_)),
        options_(options),
        fd_(open_or_throw(temporary_, O_WRONLY | O_CREAT | O_EXCL, options.mode, "cannot create")) {
    if (options.is_large) write_back_.emplace();
  }

  ~DurableFile() override {
    if (!finished_) ::unlink(temporary_.c_str());
  }

  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  void write(stream::Bytes data) override {
    write_all(fd_.get(), data, path_);
    if (write_back_) write_back_->wrote(fd_, data.size());
  }

  void finish() override {
    if (options_.sync && ::fsync(fd_.get()) != 0) throw_errno("cannot sync", path_);
    if (fd_.close() != 0) throw_errno("cannot close", path_);
    publish();
    finished_ = true;
    if (options_.sync) sync_directory(folder_of(path_));
  }

 private:
  void publish() {
    if (!options_.must_be_new) {
      if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_errno("cannot rename into place", path_);
      return;
    }
    if (::link(temporary_.c_str(), path_.c_str()) != 0) {
      if (errno == EEXIST) throw Error(ErrorKind::kRefused, path_.string() + " exists already");
      throw_errno("cannot create", path_);
    }
    ::unlink(temporary_.c_str());
  }

  fs::path path_;
  fs::path temporary_;
  FileOptions options_;
  Fd fd_;
  std::optional<WriteBack> write_back_;
  bool finished_ = false;
};

class FileSource final : public stream::Source {
 public:
  FileSource(fs::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  [[nodiscard]] std::size_t read(stream::Buffer into) override {
    const auto got = retry_on_signal([&] { return ::read(fd_.get(), into.data(), into.size()); });
    if (got < 0) throw_errno("cannot read", path_);
    return static_cast<std::size_t>(got);
  }

 private:
  fs::path path_;
  Fd fd_;
};

}  // namespace

void throw_errno(std::string_view doing, const fs::path& path) {
  const int reason = errno;
  throw Error(ErrorKind::kFailed, std::string(doing) + " " + path.string() + ": " + std::strerror(reason));
}

void write_all(int fd, stream::Bytes data, const fs::path& path) {
  while (!data.empty()) {
    const auto wrote = retry_on_signal([&] { return ::write(fd, data.data(), data.size()); });
    if (wrote < 0) throw_errno("cannot write", path);
    data = data.subspan(static_cast<std::size_t>(wrote));
  }
}

void write_all_at(int fd, std::uint64_t offset, stream::Bytes data, const fs::path& path) {
  while (!data.empty()) {
    const auto wrote =
        retry_on_signal([&] { return ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    if (wrote < 0) throw_errno("cannot write", path);
    data = data.subspan(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
}

std::size_t read_at(int fd, std::uint64_t offset, stream::Buffer into, const fs::path& path) {
  std::size_t have = 0;
  while (have < into.size()) {
    const auto got = retry_on_signal([&] {
      return ::pread(fd, into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
    });
    if (got < 0) throw_errno("cannot read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

std::unique_ptr<stream::Sink> create_file(const fs::path& path, FileOptions options) {
  return std::make_unique<DurableFile>(path, options);
}

void write_file(const fs::path& path, std::string_view text, FileOptions options) {
  const auto file = create_file(path, options);
  file->write(stream::bytes_of(text));
  file->finish();
}

std::unique_ptr<stream::Source> open_file(const fs::path& path, std::uint64_t offset) {
  Fd fd = open_or_throw(path, O_RDONLY, 0, "cannot open");
  if (offset != 0 && ::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    throw_errno("cannot seek in", path);
  return std::make_unique<FileSource>(path, std::move(fd));
}

std::optional<std::string> read_file(const fs::path& path, std::size_t limit) {
  const int raw = retry_on_signal([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (raw < 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno("cannot open", path);
  }
  Fd fd(raw);
  struct stat status {};
  const bool is_sized = ::fstat(fd.get(), &status) == 0 && status.st_size > 0;
  // One byte more than there should be: the read that finds the end needs room.
  constexpr std::size_t kStep = 4096;
  const std::size_t expected =
      is_sized ? std::min(static_cast<std::size_t>(status.st_size), limit) + 1 : kStep;
  FileSource source(path, std::move(fd));
  std::string text;
  for (std::size_t size = 0;;) {
    if (size == text.size()) text.resize(std::max(expected, size * 2));
    const std::size_t got = source.read(std::as_writable_bytes(std::span(text)).subspan(size));
    size += got;
    if (size > limit) {
      throw Error(ErrorKind::kFailed, path.string() + " is larger than " + std::to_string(limit) + " bytes");
    }
    if (got != 0) continue;
    text.resize(size);
    return text;
  }
}

bool remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    throw_errno("cannot remove", path);
  }
  sync_directory(folder_of(path));
  return true;
}

void make_directories(const fs::path& path, mode_t mode) {
  std::error_code ignored;
  if (path.empty() || fs::is_directory(path, ignored)) return;
  make_directories(path.has_relative_path() ? path.parent_path() : fs::path(), mode);
  if (!path.has_filename()) return;  // "a/b/" was made as "a/b"
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST && fs::is_directory(path, ignored)) return;
    throw_errno("cannot create the directory", path);
  }
  sync_directory(folder_of(path));
}

void sync_directory(const fs::path& path) {
  const Fd fd = open_or_throw(path, O_RDONLY | O_DIRECTORY, 0, "cannot open");
  if (::fsync(fd.get()) != 0 && errno != EINVAL) throw_errno("cannot sync", path);
}

void sync_file(const fs::path& path) {
  const Fd fd = open_or_throw(path, O_RDONLY, 0, "cannot open");
  if (::fsync(fd.get()) != 0) throw_errno("cannot sync", path);
}

namespace {

void copy_then_remove(const fs::path& from, const fs::path& to) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) throw_errno("cannot read", from);
  const fs::path temporary = temporary_beside(to);
  {
    const auto source = open_file(from);
    const auto sink = create_file(temporary, {.mode = status.st_mode & 07777U, .must_be_new = true});
    stream::pump(*source, *sink);
    sink->finish();
  }
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  if (::utimensat(AT_FDCWD, temporary.c_str(), times.data(), 0) != 0 ||
      ::rename(temporary.c_str(), to.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    throw_errno("cannot rename into place", to);
  }
  sync_directory(folder_of(to));
  remove_file(from);
}

}  // namespace

void move_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) {
    sync_directory(folder_of(to));
    if (folder_of(from) != folder_of(to)) sync_directory(folder_of(from));
    return;
  }
  if (errno != EXDEV) throw_errno("cannot rename " + from.string() + " to", to);
  copy_then_remove(from, to);
}

}  // namespace barman::os
