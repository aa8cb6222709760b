#include "engine/delete/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "catalog/file_names.h"
#include "engine/delete/delete.h"
#include "engine/delete/plan.h"
#include "os/lock_file.h"

namespace barman::engine {

namespace {

using catalog::BackupId;
using catalog::BackupInfo;

bool is_orphan(const Home& home, const BackupInfo& info) {
  std::error_code error;
  return catalog::is_available(info) && !std::filesystem::exists(home.backup(info.id), error) && !error;
}

std::set<BackupId> obsolete_ids(const catalog::Listing& listing, const std::map<BackupId, std::string>& kept,
                                const RetentionSettings& settings, Time now) {
  std::set<BackupId> ids;
  for (const auto& [id, status] : retention_of(settings, listing.backups, kept, now)) {
    if (status == catalog::RetentionStatus::kObsolete) ids.insert(id);
  }
  return ids;
}

// Whether one of `others` is built on the backup.
bool carries_any(const std::vector<BackupInfo>& backups, const BackupId& id,
                 const std::set<BackupId>& others) {
  const auto tree = tree_of(backups, id);
  return std::ranges::any_of(tree,
                             [&](const BackupId& member) { return member != id && others.contains(member); });
}

}  // namespace

RetentionPlan plan_retention(const Home& home, const catalog::Catalog& catalog,
                             const RetentionSettings& settings, Time now) {
  RetentionPlan plan;
  if (!settings.policy) return plan;
  const catalog::Listing listing = catalog.list();
  const auto unfinished = catalog.annotations(catalog::kDeleteThis);
  plan.damaged = listing.damaged;
  for (const BackupInfo& info : listing.backups) {
    if (is_orphan(home, info) && !unfinished.contains(info.id)) plan.orphans.push_back(info.id);
  }
  if (!plan.damaged.empty()) return plan;
  std::set<BackupId> wanted = obsolete_ids(listing, catalog.annotations(catalog::kKeep), settings, now);
  for (const auto& [id, value] : unfinished) wanted.insert(id);
  for (const BackupId& id : plan.orphans) wanted.erase(id);
  for (const BackupInfo& info : listing.backups) {
    if (!wanted.contains(info.id)) continue;
    for (const BackupId& member : tree_of(listing.backups, info.id)) {
      if (std::ranges::find(plan.obsolete, member) == plan.obsolete.end()) plan.obsolete.push_back(member);
    }
  }
  return plan;
}

void enforce_retention(const Home& home, catalog::Catalog& catalog, const RetentionSettings& settings,
                       Events& events, const Clock& clock, const std::stop_token& stop) {
  if (!settings.policy) return;
  const auto lock = os::LockFile::try_acquire(home.backup_lock());
  if (!lock) {
    events.log(LogLevel::kInfo,
               fmt::format("The retention policy of server {} is enforced later: a backup or a "
                           "deletion is running",
                           home.server));
    return;
  }
  const RetentionPlan plan = plan_retention(home, catalog, settings, clock.now());
  for (const BackupId& id : plan.orphans) {
    events.warning(
        fmt::format("Backup {} of server {} has a record but no files in {}. Put them back, or delete it "
                    "with: barman delete {} {}",
                    id.text, home.server, home.backup(id).native(), home.server, id.text));
  }
  for (const catalog::DamagedEntry& entry : plan.damaged) {
    events.warning(
        fmt::format("The retention policy of server {} is not enforced while {} cannot be read: {}",
                    home.server, entry.name, entry.reason));
  }
  Deletion deletion(home, catalog, events, clock);
  const std::vector<BackupInfo> backups = catalog.list().backups;
  std::set<BackupId> staying;
  for (const BackupId& id : plan.obsolete) {
    if (stop.stop_requested())
      throw Error(ErrorKind::kCancelled, "stopped while enforcing the retention policy");
    if (carries_any(backups, id, staying)) {
      staying.insert(id);
      events.warning(
          fmt::format("Backup {} of server {} is deleted later: a backup that is built on it is in use",
                      id.text, home.server));
      continue;
    }
    events.info(
        fmt::format("Enforcing retention policy: removing backup {} for server {}", id.text, home.server));
    if (!deletion.remove(id, catalog::DeletedBy::kRetention)) {
      staying.insert(id);
      events.warning(fmt::format("Backup {} of server {} is in use by another process; it is deleted later",
                                 id.text, home.server));
    }
  }
}

}  // namespace barman::engine
