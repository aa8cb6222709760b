// Lets an operation inside of another one talk to the log only.
#pragma once

#include "engine/events.h"

namespace barman::engine {

class LoggedEvents final : public Events {
 public:
  explicit LoggedEvents(Events& events) : events_(events) {}

  void info(std::string_view line) override { events_.log(LogLevel::kInfo, line); }
  void warning(std::string_view line) override { events_.log(LogLevel::kWarning, line); }
  void error(std::string_view line) override { events_.log(LogLevel::kError, line); }
  void debug(std::string_view line) override { events_.log(LogLevel::kDebug, line); }
  void log(LogLevel level, std::string_view line) override { events_.log(level, line); }
  void progress(const Progress& /*progress*/) override {}

 private:
  Events& events_;
};

}  // namespace barman::engine
