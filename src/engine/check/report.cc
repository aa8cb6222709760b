#include "engine/check/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/events.h"

namespace barman::engine {

bool CheckReport::passed() const { return std::ranges::all_of(lines, &CheckLine::ok); }

bool is_tolerated(std::string_view label) {
  constexpr std::array<std::string_view, 11> kTolerated = {
      "minimum redundancy requirements",
      "backup maximum age",
      "backup minimum size",
      "failed backups",
      "archiver errors",
      "empty incoming directory",
      "empty streaming directory",
      "incoming WALs directory",
      "streaming WALs directory",
      "wal maximum age",
      "PostgreSQL server is standby",
  };
  return std::ranges::find(kTolerated, label) != kTolerated.end();
}

bool may_proceed(const CheckReport& report, Events& events) {
  bool may = true;
  for (const CheckLine& line : report.lines) {
    const std::string hint = line.hint.empty() ? "" : " (" + line.hint + ")";
    if (line.ok) {
      events.log(LogLevel::kDebug,
                 fmt::format("Check '{}' succeeded for server '{}'{}", line.label, report.server, hint));
    } else if (is_tolerated(line.label)) {
      events.log(LogLevel::kInfo, fmt::format("Ignoring failed check '{}' for server '{}'{}", line.label,
                                              report.server, hint));
    } else {
      events.log(LogLevel::kError,
                 fmt::format("Check '{}' failed for server '{}'{}", line.label, report.server, hint));
      may = false;
    }
  }
  return may;
}

}  // namespace barman::engine
