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

// Works on a thread of its own, because starting a write-back waits while the disk's queue is full. A hint
// only: it makes nothing durable, and what it cannot do is left out. Belongs to one thread. The destructor
// forgets what has not begun.
class WriteBack {
 public:
  WriteBack();

  // The file may be closed directly afterwards. Does not wait: at most some hundred requests are kept,
  // further ones are forgotten.
  void start(const Fd& file, std::uint64_t offset, std::uint64_t length);

 private:
  struct Range {
    Fd file;
    std::uint64_t offset;
    std::uint64_t length;
  };

  void work(const std::stop_token& stop);

  std::mutex mutex_;  // guards the ranges
  std::condition_variable_any added_;
  std::deque<Range> ranges_;

  std::jthread worker_;  // last: it ends before what it uses
};

}  // namespace barman::os
