#include "postgres/socket_wait.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace barman::postgres {

namespace {

short poll_events(SocketWait::For what) {
  switch (what) {
    case SocketWait::For::kReading:
      return POLLIN;
    case SocketWait::For::kWriting:
      return POLLOUT;
    case SocketWait::For::kBoth:
      return POLLIN | POLLOUT;
  }
  return POLLIN;
}

// Rounded up, so that a wait never ends just before its time; -1 is for ever.
int poll_timeout(std::optional<SocketWait::Clock::time_point> until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - SocketWait::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace

void SocketWait::Wake::operator()() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

SocketWait::SocketWait(const std::stop_token& stop, std::chrono::milliseconds limit)
    : stop_(stop), limit_(limit) {
  if (limit.count() > 0) deadline_ = Clock::now() + limit;
  if (!stop_.stop_possible()) return;
  event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) throw Error(ErrorKind::kFailed, fmt::format("eventfd: {}", std::strerror(errno)));
  callback_.emplace(stop_, Wake{event_});
}

SocketWait::~SocketWait() {
  callback_.reset();
  if (event_ >= 0) ::close(event_);
}

void SocketWait::throw_if_stopped() const {
  if (stop_.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
}

void SocketWait::wait(int socket, For what) {
  while (!wait_until(socket, what, std::nullopt)) {
  }
}

bool SocketWait::wait_until(int socket, For what, std::optional<Clock::time_point> until) {
  for (;;) {
    throw_if_stopped();
    const bool limit_is_next = deadline_ && (!until || *deadline_ <= *until);
    const auto end = limit_is_next ? deadline_ : until;
    std::array<pollfd, 2> polled{pollfd{socket, poll_events(what), 0}, pollfd{event_, POLLIN, 0}};
    const int ready = ::poll(polled.data(), event_ < 0 ? 1 : 2, poll_timeout(end));
    if (ready < 0 && errno != EINTR)
      throw Error(ErrorKind::kFailed, fmt::format("poll: {}", std::strerror(errno)));
    throw_if_stopped();
    if (ready > 0) return true;
    if (end && Clock::now() >= *end) {
      if (!limit_is_next) return false;
      throw Error(ErrorKind::kTransient, fmt::format("the server did not answer within {:.3g} seconds",
                                                     std::chrono::duration<double>(limit_).count()));
    }
  }
}

}  // namespace barman::postgres
