// How fast bytes may be copied, and how far the copy is: shared by the threads that copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "base/clock.h"

namespace barman::engine {

class Pace {
 public:
  using Report = std::function<void(std::uint64_t)>;

  // `report`, if there is one, is told the total so far, by one thread at a time.
  Pace(std::optional<std::uint64_t> bytes_per_second, Report report, Clock& clock, std::stop_token stop)
      : bytes_per_second_(bytes_per_second),
        report_(std::move(report)),
        clock_(clock),
        stop_(std::move(stop)),
        start_(clock.now()) {}

  // Counts bytes that were copied, and waits until they were due.
  void took(std::uint64_t bytes) {
    const std::uint64_t total = total_ += bytes;
    if (report_) {
      const std::lock_guard lock(reporting_);
      report_(total);
    }
    if (!bytes_per_second_) return;
    const auto due =
        start_ + std::chrono::microseconds(static_cast<std::int64_t>(
                     static_cast<double>(total) * 1e6 / static_cast<double>(*bytes_per_second_)));
    const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(due - clock_.now());
    if (pause.count() > 0) clock_.sleep(pause, stop_);
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::optional<std::uint64_t> bytes_per_second_;
  Report report_;
  Clock& clock_;
  std::stop_token stop_;
  Time start_;
  std::atomic<std::uint64_t> total_{0};
  std::mutex reporting_;
};

}  // namespace barman::engine
