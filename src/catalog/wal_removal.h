// Which archived WAL goes with a backup that is deleted. A pure decision.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/xlogdb.h"

namespace barman::catalog {

// Everything older than a boundary, except what is protected.
struct WalRemoval {
  std::string before;                                              // segments from this name on stay
  std::set<pgformat::Timeline> protected_timelines{};              // other backups live on them
  std::vector<std::pair<std::string, std::string>> kept_ranges{};  // of standalone backups: first and last

  bool operator==(const WalRemoval&) const = default;
};

// Whether an entry of the index goes. History files never do.
bool goes(const WalRemoval& removal, std::string_view name);

// Who deletes: retention looks past backups that are kept standalone, a person's command does not.
enum class DeletedBy { kCommand, kRetention };

// What deleting `deleted` allows to remove; `backups` still holds it. Nothing if an older backup needs the
// WAL, or if it is not known where the needed WAL begins.
std::optional<WalRemoval> wal_to_remove(const std::vector<BackupInfo>& backups, const BackupInfo& deleted,
                                        const std::map<BackupId, std::string>& kept, DeletedBy who);

// What the first backup of a server allows to remove: WAL that no backup can use.
std::optional<WalRemoval> wal_before(const BackupInfo& first);

}  // namespace barman::catalog
