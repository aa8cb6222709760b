// Deleting backups from a bucket, and the WAL that only they needed: planned first, then done.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/retention.h"
#include "catalog/wal_removal.h"
#include "engine/server/bucket_remover.h"
#include "store/object_store.h"

namespace barman::engine {

// One backup's removal.
struct CloudDeletion {
  catalog::BackupId id;
  std::vector<std::string> objects{};  // data first, backup.info last
  std::vector<std::string> wal{};
};

// What is in the bucket when something is to be deleted.
struct CloudState {
  std::vector<catalog::BackupInfo> backups{};  // ascending
  std::map<catalog::BackupId, std::string> kept{};
};

// Throws kRefused if the backup is kept, or fewer than `minimum` would be left.
CloudDeletion plan_cloud_deletion(store::ObjectStore& store, const CloudState& state,
                                  const std::string& server, const catalog::BackupInfo& info,
                                  std::uint32_t minimum);

// The obsolete backups, oldest first. `minimum` raises a smaller redundancy of the policy.
std::vector<catalog::BackupId> obsolete_cloud_backups(const CloudState& state,
                                                      catalog::RetentionPolicy policy, std::uint32_t minimum,
                                                      Time now);
// One of these; WAL that kept backups need stays.
CloudDeletion plan_cloud_retention(store::ObjectStore& store, const CloudState& state,
                                   const catalog::BackupInfo& info);

// Data first, then backup.info, then WAL: what breaks off can be done again. Returns what went wrong with
// WAL, which is no failure. Throws kRefused, having done nothing, for what is locked; kFailed if data or
// backup.info could not be removed.
std::vector<std::string> execute(const CloudDeletion& deletion, BucketRemover& remover);

}  // namespace barman::engine
