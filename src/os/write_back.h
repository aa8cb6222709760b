// Starts the way of written bytes to the disk early, so that the sync at the end finds little left to do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

#include "os/fd.h"

namespace barman::os {

// Large enough for one request to the disk, small enough to keep it busy.
inline constexpr std::uint64_t kWriteBackBytes = 8 * 1024 * 1024;

// Works on a thread of its own, because starting a write-back waits while the disk's queue is full. A hint
// only: it makes nothing durable, and what it cannot do is left out. Belongs to one thread. The destructor
// forgets what has not begun.
class WriteBack {
 public:
  WriteBack();

  // The next file begins, empty.
  void begin() { written_ = begun_ = 0; }
  // So many bytes more were written to it: with each kWriteBackBytes their way begins. Does not wait: at most
  // some hundred requests are kept, further ones are forgotten.
  void wrote(const Fd& file, std::uint64_t bytes);
  // The file ends, and may be closed directly afterwards: what is left of it follows. A small one is left to
  // the sync at the end, where many of them make one large write.
  void end(const Fd& file);

 private:
  struct Range {
    Fd file;
    std::uint64_t offset;
    std::uint64_t length;
  };

  void send(const Fd& file);
  void work(const std::stop_token& stop);

  std::uint64_t written_ = 0;  // to the file
  std::uint64_t begun_ = 0;    // up to here its way has begun

  std::mutex mutex_;  // guards the ranges
  std::condition_variable_any added_;
  std::deque<Range> ranges_;

  std::jthread worker_;  // last: it ends before what it uses
};

}  // namespace barman::os
