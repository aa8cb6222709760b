// Keeps a connection in use while its owner has nothing to ask: what stands in between takes it for dead if
// it is silent for long.
#pragma once

#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace barman {
class Clock;
}
namespace barman::postgres {
class Session;
}

namespace barman::engine {

// The session is its own from the first moment to the last.
class KeepAlive {
 public:
  // Asks the server something every `interval`; never if that is zero. Both outlive this.
  KeepAlive(postgres::Session& session, std::chrono::seconds interval, Clock& clock);
  ~KeepAlive() = default;  // when the question under way is answered
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  // Throws what the server's last answer was, if it was none: the connection is lost.
  void require() const;

 private:
  mutable std::mutex mutex_;  // guards failure_
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it ends first
};

}  // namespace barman::engine
