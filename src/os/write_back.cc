#include "os/write_back.h"

#include <fcntl.h>

#include <utility>

namespace barman::os {

namespace {

constexpr std::size_t kMostRanges = 256;  // each holds a file descriptor
constexpr std::uint64_t kSmallFile = 128 * 1024;

}  // namespace

WriteBack::WriteBack() : worker_([this](const std::stop_token& stop) { work(stop); }) {}

void WriteBack::wrote(const Fd& file, std::uint64_t bytes) {
  written_ += bytes;
  if (written_ - begun_ >= kWriteBackBytes) send(file);
}

void WriteBack::end(const Fd& file) {
  if (written_ >= kSmallFile) send(file);
}

void WriteBack::send(const Fd& file) {
  const std::uint64_t offset = std::exchange(begun_, written_);
  {
    const std::lock_guard lock(mutex_);
    if (ranges_.size() >= kMostRanges) return;
    Fd own(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
    if (!own) return;
    ranges_.push_back({.file = std::move(own), .offset = offset, .length = written_ - offset});
  }
  added_.notify_one();
}

void WriteBack::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (added_.wait(lock, stop, [this] { return !ranges_.empty(); })) {
    if (stop.stop_requested()) return;
    const Range range = std::move(ranges_.front());
    ranges_.pop_front();
    lock.unlock();
    (void)::sync_file_range(range.file.get(), static_cast<off64_t>(range.offset),
                            static_cast<off64_t>(range.length), SYNC_FILE_RANGE_WRITE);
    lock.lock();
  }
}

}  // namespace barman::os
