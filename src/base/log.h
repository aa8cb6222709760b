// The log: lines for those who look later. Only log.cc knows the library behind it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace barman {

// Levels as the configuration and other programs number them.
inline constexpr int kLogNotSet = 0;
inline constexpr int kLogDebug = 10;
inline constexpr int kLogInfo = 20;
inline constexpr int kLogWarning = 30;
inline constexpr int kLogError = 40;
inline constexpr int kLogCritical = 50;

// A name in any case, or an integer. Nothing for anything else.
std::optional<int> parse_log_level(std::string_view text);
std::string log_level_name(int level);

struct LogOptions {
  std::optional<std::filesystem::path> file{};  // none: standard error
  int level = kLogInfo;
  // A Python %-format; %(asctime)s %(process)d %(name)s %(levelname)s %(levelno)d %(message)s, with widths,
  // are filled in, other fields are left out.
  std::string format = "%(asctime)s [%(process)s] %(name)s %(levelname)s: %(message)s";
};

// May be used from several threads. The file is opened with the first line that is written; its folder is
// made; it is opened anew when somebody renamed or removed it. What cannot be opened or written never stops
// the program: lines go to standard error instead, after one warning there.
class Log {
 public:
  Log(LogOptions options, const Clock& clock);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] bool wants(int level) const { return level >= options_.level; }

  // `logger` is a dotted name, such as "barman.backup". The message may have several lines.
  void write(int level, std::string_view logger, std::string_view message);

 private:
  struct Output;

  const LogOptions options_;
  const Clock& clock_;
  std::unique_ptr<Output> output_;
};

// One line without its newline. For tests and for Log.
std::string format_log_line(const std::string& format, Time now, int level, std::string_view logger,
                            std::string_view message);

}  // namespace barman
