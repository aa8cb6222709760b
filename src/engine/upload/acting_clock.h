// A clock for tests: time passes only while somebody sleeps, and something may happen then.
#pragma once

#include <functional>

#include "base/clock.h"

namespace barman::engine {

class ActingClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override {
    now_ += pause;
    ++sleeps;
    if (while_asleep) while_asleep(sleeps);
    return !stop.stop_requested();
  }

  int sleeps = 0;
  std::function<void(int sleeps)> while_asleep{};

 private:
  Time now_{std::chrono::seconds(1795000000)};
};

}  // namespace barman::engine
