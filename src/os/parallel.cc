#include "os/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace barman::os {

void in_parallel(std::size_t count, unsigned workers, const std::stop_token& stop,
                 const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto run = [&]() noexcept {
    for (std::size_t index = next++; index < count && !failed && !stop.stop_requested(); index = next++) {
      try {
        work(index);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < std::max(workers, 1U); ++i) threads.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
  if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
}

}  // namespace barman::os
