// How an operation that takes time talks while it runs. The engine never prints: cli hands it one of these.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace barman::engine {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Called from the operation's own thread. Texts may hold connection strings; implementations redact secrets.
class Events {
 public:
  virtual ~Events() = default;

  // A line for the person who asked: standard output (an element of "_INFO" in JSON), and the log.
  virtual void info(std::string_view line) = 0;
  // "WARNING: <line>" on standard error; does not change the exit status.
  virtual void warning(std::string_view line) = 0;
  // "ERROR: <line>" on standard error; the process will exit with 1.
  virtual void error(std::string_view line) = 0;
  // "DEBUG: <line>" on standard error when -d was given.
  virtual void debug(std::string_view line) = 0;
  // Only to the log file.
  virtual void log(LogLevel level, std::string_view line) = 0;

  // How far the operation is, in bytes. Cheap enough to be called for every megabyte.
  struct Progress {
    std::string_view phase;  // "copying", "syncing", "waiting for WAL"
    std::uint64_t done = 0;
    std::optional<std::uint64_t> expected{};
  };
  virtual void progress(const Progress& progress) = 0;
};

}  // namespace barman::engine
