#include "engine/cloud/delete_backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/cloud_wal_objects.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;

// Its annotations too.
std::vector<std::string> objects_of(store::ObjectStore& store, const catalog::BackupId& id) {
  std::vector<std::string> keys = data_objects(store, id);
  store.list(annotation_key(id, ""), [&](const store::ObjectInfo& object) {
    keys.push_back(object.key);
    return true;
  });
  keys.push_back(backup_info_key(id));
  return keys;
}

std::vector<std::string> wal_of(store::ObjectStore& store, const catalog::WalRemoval& removal) {
  std::vector<std::string> keys;
  for (const std::string& folder : store.children(kCloudWals)) {
    // Nothing in a folder behind the boundary's can go.
    if (!folder.ends_with('/') ||
        folder.substr(0, folder.size() - 1) > removal.before.substr(0, folder.size() - 1)) {
      continue;
    }
    list_cloud_wal(store, cloud_wal_folder() + folder, [&](const CloudWal& wal, const store::ObjectInfo&) {
      if (catalog::goes(removal, wal.name)) keys.push_back(wal.key);
      return true;
    });
  }
  return keys;
}

CloudDeletion plan(store::ObjectStore& store, const CloudState& state, const BackupInfo& info,
                   catalog::DeletedBy who) {
  CloudDeletion deletion{.id = info.id, .objects = objects_of(store, info.id)};
  if (const auto removal = catalog::wal_to_remove(state.backups, info, state.kept, who)) {
    deletion.wal = wal_of(store, *removal);
  }
  return deletion;
}

// Those that are under way may come to nothing.
std::size_t count_finished(const std::vector<BackupInfo>& backups) {
  return static_cast<std::size_t>(std::ranges::count_if(
      backups, [](const BackupInfo& info) { return info.status != BackupStatus::kStarted; }));
}

}  // namespace

CloudDeletion plan_cloud_deletion(store::ObjectStore& store, const CloudState& state,
                                  const std::string& server, const BackupInfo& info, std::uint32_t minimum) {
  if (state.kept.contains(info.id)) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "Skipping delete of backup {} for server {} as it has a current keep request. If you really "
            "want to delete this backup please remove the keep and try again.",
            info.id.text, server));
  }
  const std::size_t count = count_finished(state.backups);
  if (minimum >= count && minimum > 0) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "Skipping delete of backup {} for server {} due to minimum redundancy requirements (minimum "
            "redundancy = {}, current redundancy = {})",
            info.id.text, server, minimum, count));
  }
  return plan(store, state, info, catalog::DeletedBy::kCommand);
}

std::vector<catalog::BackupId> obsolete_cloud_backups(const CloudState& state,
                                                      catalog::RetentionPolicy policy, std::uint32_t minimum,
                                                      Time now) {
  if (policy.unit == catalog::RetentionPolicy::Unit::kBackups) policy.count = std::max(policy.count, minimum);
  const auto report = catalog::retention_report(
      policy, {.backups = state.backups, .kept = state.kept, .minimum_redundancy = minimum, .now = now});
  std::vector<catalog::BackupId> obsolete;
  for (const auto& [id, status] : report) {
    if (status == catalog::RetentionStatus::kObsolete) obsolete.push_back(id);
  }
  return obsolete;
}

CloudDeletion plan_cloud_retention(store::ObjectStore& store, const CloudState& state,
                                   const BackupInfo& info) {
  return plan(store, state, info, catalog::DeletedBy::kRetention);
}

std::vector<std::string> execute(const CloudDeletion& deletion, BucketRemover& remover) {
  remover.require_unlocked(deletion.objects);
  std::vector<std::string> data = deletion.objects;
  const std::string info = data.back();
  data.pop_back();
  remover.remove(data);
  remover.remove({info});
  remover.require_unlocked(deletion.wal);
  return remover.try_to_remove(deletion.wal);
}

}  // namespace barman::engine
