// Waiting for a socket without ever waiting longer than somebody wants.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

namespace barman::postgres {

// One operation's patience: a stop request ends every wait at once, and so does the operation's time limit.
// Belongs to one thread; the stop may come from any.
class SocketWait {
 public:
  using Clock = std::chrono::steady_clock;

  // A limit of zero is none.
  explicit SocketWait(const std::stop_token& stop,
                      std::chrono::milliseconds limit = std::chrono::milliseconds(0));
  ~SocketWait();
  SocketWait(const SocketWait&) = delete;
  SocketWait& operator=(const SocketWait&) = delete;

  enum class For { kReading, kWriting, kBoth };

  // Returns when `socket` is ready. Throws kCancelled on stop, kTransient when the limit has passed.
  void wait(int socket, For what);

  // The same, but gives up at `until` too: returns whether the socket is ready.
  bool wait_until(int socket, For what, std::optional<Clock::time_point> until);

  // Throws kCancelled if a stop was requested.
  void throw_if_stopped() const;

 private:
  struct Wake {
    int event;
    void operator()() const noexcept;
  };

  std::stop_token stop_;
  std::optional<Clock::time_point> deadline_;
  std::chrono::milliseconds limit_;
  int event_ = -1;
  std::optional<std::stop_callback<Wake>> callback_;
};

}  // namespace barman::postgres
