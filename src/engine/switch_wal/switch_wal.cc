#include "engine/switch_wal/switch_wal.h"

#include "base/clock.h"
#include "base/error.h"
#include "engine/server/inspect.h"
#include "postgres/session.h"

namespace barman::engine {

SwitchResult switch_wal(postgres::Session& session, bool force) {
  const ServerFacts facts = inspect(session);
  if (facts.in_recovery) return {.outcome = SwitchOutcome::kStandby};
  if (force) {
    if (!facts.may_checkpoint) {
      throw Error(ErrorKind::kFailed,
                  "Barman switch-wal --force requires superuser rights or the 'pg_checkpoint' role");
    }
    session.query("CHECKPOINT");
  }
  const WalPosition before = wal_position(session, facts);
  session.query("SELECT pg_catalog.pg_switch_wal()");
  const WalPosition after = wal_position(session, facts);
  // A position at the very start of a segment still counts to the segment before: nothing was written, and
  // nothing needs closing.
  const auto segment = [&](const WalPosition& position) { return position.lsn.value / facts.segment_size; };
  if (segment(before) == segment(after) || !before.wal) return {.outcome = SwitchOutcome::kNotNeeded};
  return {.outcome = SwitchOutcome::kSwitched, .closed = *before.wal};
}

WaitOutcome wait_for_wal(const std::function<void()>& archive_once, const std::function<bool()>& is_archived,
                         std::chrono::seconds limit, Clock& clock, const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kPause{100};
  const Time deadline = clock.now() + limit;
  while (true) {
    archive_once();
    if (is_archived()) return WaitOutcome::kArchived;
    if (limit.count() > 0 && clock.now() >= deadline) return WaitOutcome::kTimedOut;
    if (!clock.sleep(kPause, stop)) throw Error(ErrorKind::kCancelled, "stopped while waiting for WAL");
  }
}

}  // namespace barman::engine
