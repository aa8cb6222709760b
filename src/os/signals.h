// SIGINT and SIGTERM become a request to stop; SIGPIPE becomes an error of the write that caused it.
#pragma once

#include <stop_token>
#include <thread>

namespace barman::os {

// While it lives, the first SIGINT or SIGTERM requests a stop of `source`, and so do later ones: work under
// way ends orderly, however often somebody presses Ctrl-C. Make one, in main's thread, before any other
// thread is started.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source source);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  // The signal that came first, or 0.
  [[nodiscard]] int received() const;
};

}  // namespace barman::os
