// Time as a dependency: only cli makes a real Clock, everybody else is handed one.
#pragma once

#include <chrono>
#include <stop_token>

namespace barman {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;

  [[nodiscard]] virtual Time now() const = 0;

  // Waits for `pause`, or less if `stop` is requested. Returns whether the whole pause went by.
  virtual bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override;
};

}  // namespace barman
