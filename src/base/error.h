// Failures. Everything that goes wrong is thrown as an Error; nothing else is thrown on purpose.
//
// An answer that callers expect to get ("no such backup", "the lock is taken") is not a failure:
// the function returns an optional or an enum for it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace barman {

// The differences that some code acts on: the exit status, and whether to try again.
// All other detail belongs in the message, which ends with what to do next where we know it.
enum class ErrorKind {
  kUsage,      // the command line or the configuration is wrong
  kRefused,    // a rule forbids it now: minimum redundancy, a kept backup
  kBusy,       // another process holds the lock
  kTransient,  // a connection, a time-out, a server in trouble: another attempt may succeed
  kFailed,     // a system call, a server or a child process said no
  kCorrupt,    // stored bytes contradict what was recorded about them
  kCancelled,  // somebody asked the operation to stop
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// Runs `body`. An Error on its way out gets "<activity>: " put before its message, so that the
// text a person reads goes from what they asked for down to what failed.
template <class Body>
decltype(auto) during(std::string_view activity, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& e) {
    throw Error(e.kind(), std::string(activity) + ": " + e.what());
  }
}

}  // namespace barman
