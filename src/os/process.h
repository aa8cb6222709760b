// Child processes: rsync, ssh, gpg, hook scripts, and barman's own background commands.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "stream/stream.h"

namespace barman::os {

// What to run. `argv` goes to the kernel as it is; no shell ever sees it.
struct Command {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env{};  // added to this process's environment
  std::optional<std::filesystem::path> directory{};
  std::string if_missing{};  // what to do if it cannot be started, for the message
};

// The child's ends. A null pointer means /dev/null. Sinks are written to, not finished.
struct Pipes {
  stream::Source* in = nullptr;
  stream::Sink* out = nullptr;
  stream::Sink* err = nullptr;
  // What the child reads at its descriptor 3, then end of file: a passphrase, which must be in neither argv
  // nor environment. Borrowed, never copied, and so short that a pipe holds it (4096 bytes).
  std::optional<std::string_view> secret{};
};

struct Exit {
  int status = 0;  // of exit(), when signal is 0
  int signal = 0;  // that ended it, or 0
  [[nodiscard]] bool ok() const { return status == 0 && signal == 0; }
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;

  // Runs `command` to its end, and reports how it ended; a non-zero exit is an answer, not an
  // Error. If `stop` is requested: TERM, then KILL after a grace time, then throws kCancelled.
  // Throws kFailed if the program cannot be started. A child that does not read all of `in` is no failure, if
  // SIGPIPE is ignored as signals.h has it.
  virtual Exit run(const Command& command, Pipes pipes, const std::stop_token& stop) = 0;

  // Starts `command` in a session of its own, its standard ends at /dev/null (or inherited with
  // `keep_descriptors`), and does not wait for it. Throws kFailed if it cannot be started.
  virtual void start_detached(const Command& command, bool keep_descriptors) = 0;
};

// The machine's processes.
class LocalRunner final : public ProcessRunner {
 public:
  Exit run(const Command& command, Pipes pipes, const std::stop_token& stop) override;
  void start_detached(const Command& command, bool keep_descriptors) override;
};

}  // namespace barman::os
