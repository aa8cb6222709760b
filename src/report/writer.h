// Where a command's words go: the console, or one JSON object. cli makes one Writer; the engine sees it as
// Events; the functions that render results (report/<command>.h) get it as it is.
//
// Everything that passes is redacted. May be used from several threads.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events.h"

namespace barman {
class Clock;
class Log;
}  // namespace barman

namespace barman::report {

enum class Format { kConsole, kJson };
enum class Colour { kGreen, kRed, kYellow };

class Writer : public engine::Events {
 public:
  [[nodiscard]] virtual Format format() const = 0;
  [[nodiscard]] bool is_json() const { return format() == Format::kJson; }

  // Results for the console: a line of standard output, not logged, dropped by -q. Nothing in JSON, whose
  // results are stored by put() and append().
  virtual void line(std::string_view text) = 0;

  // Like info(), but not logged: headings, results of commands that have no JSON of their own.
  virtual void notice(std::string_view text) = 0;

  // "EXCEPTION: <text>" on standard error: a failure that nobody expected. The exit status will be 1.
  virtual void exception(std::string_view text) = 0;

  // Results for JSON: the value at `path` (server name first; missing levels are made) becomes `json_text`,
  // or gets it as one more element of the array there. Nothing on the console.
  // Throws std::logic_error if `json_text` is not JSON.
  virtual void put(const std::vector<std::string>& path, std::string_view json_text) = 0;
  virtual void append(const std::vector<std::string>& path, std::string_view json_text) = 0;

  // The text in a colour if this output has colours, else as it is.
  [[nodiscard]] virtual std::string paint(Colour colour, std::string_view text) const = 0;

  // Makes the exit status 1 without a message: a failed check.
  virtual void fail() = 0;
  // 0, or 1 if an error was heard.
  [[nodiscard]] virtual int exit_status() const = 0;

  // Drops everything from now on that is not written by the command itself (check --nagios); exit_status()
  // still counts.
  virtual void mute() = 0;

  // Ends the output: JSON is printed now. The last call. Throws kFailed if standard output cannot take it.
  virtual void finish() = 0;
};

struct WriterOptions {
  Format format = Format::kConsole;
  bool quiet = false;
  bool debug = false;
  bool colours = false;
  bool progress = false;  // standard error is a terminal
  std::string logger = "barman.cli";
  std::FILE* out = stdout;
  std::FILE* err = stderr;
};

// `log` and `clock` outlive the writer.
std::unique_ptr<Writer> make_writer(const WriterOptions& options, Log& log, const Clock& clock);

// A text as a JSON string, quotes included, with everything but ASCII escaped.
std::string json_string(std::string_view text);

}  // namespace barman::report
