// A stop that is requested when another is, or when a time is over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace barman::engine {

class TimeLimit {
 public:
  // A limit of zero is none.
  TimeLimit(std::chrono::milliseconds limit, const std::stop_token& stop)
      : forward_(stop, [this] { source_.request_stop(); }) {
    if (limit.count() == 0) return;
    timer_ = std::jthread([this, limit](const std::stop_token& done) {
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      never.wait_for(lock, done, limit, [] { return false; });
      if (!done.stop_requested()) source_.request_stop();
    });
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  const std::stop_callback<std::function<void()>> forward_;
  std::jthread timer_;
};

}  // namespace barman::engine
