// What a restore was asked to do, and how it will do it: a value, made before anything is touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_info.h"
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
  std::vector<catalog::BackupInfo> chain{};  // from the full one to itself, if is_read_as_chain()
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
  Leftovers leftovers;          // of a delta restore: what will be removed
  bool knows_leftovers = true;  // otherwise more will be: only the archives tell what the backup has
  std::uint64_t bytes = 0;
};

// Whether the backup is restored from its members, of which it may be the only one: an incremental backup,
// one kept as archives, and in a delta restore one that has a manifest.
bool is_read_as_chain(const Home& home, const catalog::BackupInfo& info, bool delta);

// Throws kRefused or kUsage, having touched nothing, for everything that can be known beforehand.
RestorePlan plan_restore(const Home& home, const RestoreRequest& request,
                         const std::vector<catalog::WalEntry>& index, Time now);

// All that is written to: with the folder of WAL if it has one of its own.
std::vector<RestoreFolder> all_folders(const RestorePlan& plan);

// Which files the restore brings back, or may bring back if there is no manifest. Borrows the plan.
HasFile files_of_backup(const RestorePlan& plan);

// Where a backup of plain files keeps what its manifest calls `path`.
std::filesystem::path kept_place(const std::vector<RestoreFolder>& folders, const std::string& path);

}  // namespace barman::engine
