// Keeps what an operation says: for tests.
#pragma once

#include <string>
#include <vector>

#include "engine/events.h"

namespace barman::engine {

class RecordedEvents final : public Events {
 public:
  void info(std::string_view line) override { infos.emplace_back(line); }
  void warning(std::string_view line) override { warnings.emplace_back(line); }
  void error(std::string_view line) override { errors.emplace_back(line); }
  void debug(std::string_view /*line*/) override {}
  void log(LogLevel /*level*/, std::string_view line) override { logged.emplace_back(line); }
  void progress(const Progress& /*progress*/) override {}

  std::vector<std::string> infos;
  std::vector<std::string> warnings;
  std::vector<std::string> errors;
  std::vector<std::string> logged;
};

}  // namespace barman::engine
