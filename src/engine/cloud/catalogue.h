// The catalogue of a bucket: what the backups in it say of themselves.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "store/object_store.h"

namespace barman::engine {

// Reads all backup.info objects, several at a time. A folder without one is no backup.
catalog::Listing read_cloud_catalogue(store::ObjectStore& store);

// One of them; nothing if it is not there. Throws kCorrupt if it is damaged.
std::optional<catalog::BackupInfo> read_cloud_backup(store::ObjectStore& store, const catalog::BackupId& id);

// What a person wrote for a backup: an id, first, oldest, last, latest, last-failed or a name. For the first
// four, backups that are under way do not count. Nothing if there is none; throws kUsage for a name that
// nobody has, or several.
std::optional<catalog::BackupId> resolve_cloud_backup(const std::vector<catalog::BackupInfo>& backups,
                                                      const std::string& word, const std::string& server);

// The keep annotation: "full" or "standalone"; nothing if there is none.
std::optional<std::string> cloud_keep(store::ObjectStore& store, const catalog::BackupId& id);
// Those of all backups.
std::map<catalog::BackupId, std::string> cloud_keeps(store::ObjectStore& store);
void set_cloud_keep(store::ObjectStore& store, const catalog::BackupId& id, const std::string& target);
void release_cloud_keep(store::ObjectStore& store, const catalog::BackupId& id);

}  // namespace barman::engine
