// Where a recovery is to end: what was asked for, made precise and checked against the backup.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "pgformat/lsn.h"

namespace barman::engine {

struct RecoveryTarget {
  std::optional<catalog::Timestamp> time{};
  std::optional<std::string> xid{};
  std::optional<pgformat::Lsn> lsn{};
  std::optional<std::string> name{};
  bool immediate = false;
  std::optional<std::string> timeline{};  // as typed: "current", "latest" or a number
  bool exclusive = false;
  std::optional<std::string> action{};  // pause, shutdown, promote

  // Whether recovery is to end somewhere, or follow a timeline, rather than replay all there is.
  [[nodiscard]] bool is_pitr() const { return time || xid || lsn || name || immediate || timeline; }
};

struct TargetTime {
  catalog::Timestamp time;
  bool zone_assumed = false;  // none was written: the local one was taken
};

// Any unambiguous date and time, most significant part first; seconds, or the whole time of day, may be left
// out; the shape of a backup's id. Throws kUsage for any other text, and for a local time that never was or
// was twice because the clock was put forward or back.
TargetTime parse_target_time(std::string_view text);

// "time: '2026-11-22 13:30:00+00:00', timeline: 'latest'": for the line that says what is done.
std::string describe(const RecoveryTarget& target);

// Throws kRefused if `info` cannot be recovered to `target`: it ends later, or the target is in the future.
void check_reachable(const RecoveryTarget& target, const catalog::BackupInfo& info, Time now);

// The backup that "auto" means: the newest available one that ends at or before the target. Throws kRefused
// if none does, or if the target does not tell a position (xid, name, immediate, current timeline).
catalog::BackupInfo choose_backup(const std::vector<catalog::BackupInfo>& backups,
                                  const RecoveryTarget& target, std::optional<pgformat::Timeline> timeline);

}  // namespace barman::engine
