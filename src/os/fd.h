// A file descriptor that closes itself, and system calls that go on after a signal.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "stream/stream.h"

namespace barman::os {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

  // What ::close answers; 0 if there is nothing to close.
  int close() { return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

// Makes a system call again as long as a signal interrupts it.
template <class Call>
auto retry_on_signal(Call&& call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Writes all of `data`, whatever the kernel takes at a time. Throws kFailed, naming `path`.
void write_all(int fd, stream::Bytes data, const std::filesystem::path& path);

// The same at a place of the file, whatever its position is.
void write_all_at(int fd, std::uint64_t offset, stream::Bytes data, const std::filesystem::path& path);

// Fills the front of `into` from a place of the file, as far as the file goes, and returns how much that is.
// Throws kFailed, naming `path`.
std::size_t read_at(int fd, std::uint64_t offset, stream::Buffer into, const std::filesystem::path& path);

}  // namespace barman::os
