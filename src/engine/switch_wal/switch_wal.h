// switch-wal: has the server close the WAL segment that it is writing, and waits for a segment to be
// archived.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace barman {
class Clock;
namespace postgres {
class Session;
}
}  // namespace barman

namespace barman::engine {

enum class SwitchOutcome { kSwitched, kNotNeeded, kStandby };

struct SwitchResult {
  SwitchOutcome outcome = SwitchOutcome::kNotNeeded;
  std::string closed{};  // the segment's name, when kSwitched
};

// With `force`, a checkpoint first, so that there is something to switch after. Throws kFailed if the role
// may not do that.
SwitchResult switch_wal(postgres::Session& session, bool force);

enum class WaitOutcome { kArchived, kTimedOut };

// Calls `archive_once`, then asks `is_archived`, again and again until it is. `limit` zero: without end.
// Throws kCancelled when `stop` is requested.
WaitOutcome wait_for_wal(const std::function<void()>& archive_once, const std::function<bool()>& is_archived,
                         std::chrono::seconds limit, Clock& clock, const std::stop_token& stop);

}  // namespace barman::engine
