// restore: puts a backup and the WAL that it needs where a server can be started on them.
//
// Planned first, as a value; then executed. Until its last step the destination has no global/pg_control, so
// that PostgreSQL refuses to start on a restore that did not come to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/events.h"
#include "engine/restore/configuration.h"
#include "engine/restore/restore_plan.h"
#include "engine/server/home.h"

namespace barman::engine {

struct RestoreResult {
  Time started;
  std::chrono::microseconds elapsed{0};
  std::vector<SettingLine> changes;
  std::vector<SettingLine> warnings;
  std::vector<std::string> missing_files;  // configuration that lived outside the data directory
  std::uint64_t checked_files = 0;
};

// Throws kCorrupt for a file that is not what the manifest says, kCancelled on `stop`, kFailed otherwise.
// What was written stays, marked as incomplete; another restore to the same place starts anew.
RestoreResult execute_restore(const Home& home, const RestoreRequest& request, const RestorePlan& plan,
                              Clock& clock, Events& events, const std::stop_token& stop);

}  // namespace barman::engine
