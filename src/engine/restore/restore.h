// restore: puts a backup and the WAL that it needs where a server can be started on them.
//
// Planned first, as a value; then executed. Until its last step the destination has no global/pg_control, so
// that PostgreSQL refuses to start on a restore that did not come to its end.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/events.h"
#include "engine/restore/configuration.h"
#include "engine/restore/destination.h"
#include "engine/restore/existing.h"
#include "engine/restore/restore_chain.h"
#include "engine/restore/target.h"
#include "engine/restore/wal_plan.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

struct RestoreRequest {
  catalog::BackupInfo backup;
  std::vector<catalog::BackupInfo> chain{};  // from the full one to itself: of an incremental backup, of one
                                             // kept as archives, and for a delta restore where there is a
                                             // manifest (one member)
  std::filesystem::path destination;         // absolute
  RecoveryTarget target;
  std::map<std::string, std::string> tablespaces{};  // name → new location
  bool standby = false;
  std::optional<std::string> get_wal_command{};  // set: WAL is fetched while recovering, none is copied
  bool partial_wal = false;
  std::optional<std::filesystem::path> wal_directory{};  // for WAL in PITR; else <destination>/barman_wal
  std::string recovery_file = "postgresql.auto.conf";
  unsigned jobs = 1;
  std::optional<std::uint64_t> bytes_per_second{};
  CombineMode combine_mode = CombineMode::kCopy;
  bool delta = false;      // the destination is an earlier state of the cluster: only differences are written
  bool verify = true;      // against the manifest, where there is one
  WalFormat wal_format{};  // to read the archive with, and to decrypt backups
};

struct RestorePlan {
  std::vector<RestoreFolder> folders;  // the data directory first, then the tablespaces
  std::filesystem::path wal_directory;
  bool separate_wal = false;  // wal_directory is a folder of its own
  WalPlan wal;                // empty with get-wal
  std::optional<ChainPlan> chain{};
  Leftovers leftovers;  // of a delta restore: what will be removed
  std::uint64_t bytes = 0;
};

struct RestoreResult {
  Time started;
  std::chrono::microseconds elapsed{0};
  std::vector<SettingLine> changes;
  std::vector<SettingLine> warnings;
  std::vector<std::string> missing_files;  // configuration that lived outside the data directory
  std::uint64_t checked_files = 0;
};

// Throws kRefused or kUsage, having touched nothing, for everything that can be known beforehand.
RestorePlan plan_restore(const Home& home, const RestoreRequest& request,
                         const std::vector<catalog::WalEntry>& index, Time now);

// Throws kCorrupt for a file that is not what the manifest says, kCancelled on `stop`, kFailed otherwise.
// What was written stays, marked as incomplete; another restore to the same place starts anew.
RestoreResult execute_restore(const Home& home, const RestoreRequest& request, const RestorePlan& plan,
                              Clock& clock, Events& events, const std::stop_token& stop);

}  // namespace barman::engine
