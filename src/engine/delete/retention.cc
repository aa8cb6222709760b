#include "engine/delete/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>

#include "base/error.h"
#include "catalog/bucket_records.h"
#include "catalog/file_names.h"
#include "engine/delete/delete.h"
#include "engine/delete/plan.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/home_catalog.h"
#include "os/lock_file.h"

namespace barman::engine {

namespace {

using catalog::BackupId;
using catalog::BackupInfo;

// Those whose record says that all is there, although nothing is.
std::vector<BackupId> orphans_among(const Home& home, const std::vector<BackupInfo>& backups) {
  std::function<bool(const BackupInfo&)> has_files = [&](const BackupInfo& info) {
    std::error_code error;
    return std::filesystem::exists(home.backup(info.id), error) || error;
  };
  std::optional<catalog::BucketRecords> bucket;
  const std::unique_ptr<store::ObjectStore> base = base_store(home);
  if (home.backup_bucket) {
    bucket.emplace(*base);
    has_files = [&](const BackupInfo& info) { return bucket->has_data(info); };
  }
  std::vector<BackupId> orphans;
  for (const BackupInfo& info : backups) {
    if (catalog::is_available(info) && !has_files(info)) orphans.push_back(info.id);
  }
  return orphans;
}

std::string place_of(const Home& home, const BackupId& id) {
  if (!home.backup_bucket) return home.backup(id).native();
  return home.backup_bucket->url() + " under " + home.backup_bucket->full_key(backup_folder(id));
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

void warn_of_what_stays(const RetentionPlan& plan, const Home& home, Events& events) {
  for (const BackupId& id : plan.orphans) {
    events.warning(
        fmt::format("Backup {} of server {} has a record but no files in {}. Put them back, or delete it "
                    "with: barman delete {} {}",
                    id.text, home.server, place_of(home, id), home.server, id.text));
  }
  for (const catalog::DamagedEntry& entry : plan.damaged) {
    events.warning(
        fmt::format("The retention policy of server {} is not enforced while {} cannot be read: {}",
                    home.server, entry.name, entry.reason));
  }
}

// Deletes the backup, or says what is in the way: one that is locked in its bucket keeps no other.
std::optional<std::string> obstacle_to(Deletion& deletion, const BackupId& id) {
  try {
    if (deletion.remove(id, catalog::DeletedBy::kRetention)) return std::nullopt;
    return "it is in use by another process";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kRefused) throw;
    return error.what();
  }
}

}  // namespace

RetentionPlan plan_retention(const Home& home, const catalog::Catalog& catalog,
                             const RetentionSettings& settings, Time now) {
  RetentionPlan plan;
  if (!settings.policy) return plan;
  const catalog::Listing listing = catalog.list();
  const auto unfinished = catalog.annotations(catalog::kDeleteThis);
  plan.damaged = listing.damaged;
  plan.orphans = orphans_among(home, listing.backups);
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
                       RemovalRules rules, Events& events, const Clock& clock, const std::stop_token& stop) {
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
  warn_of_what_stays(plan, home, events);
  Deletion deletion(home, catalog, rules, events, clock);
  const std::vector<BackupInfo> backups = catalog.list().backups;
  std::set<BackupId> staying;
  for (const BackupId& id : plan.obsolete) {
    if (stop.stop_requested())
      throw Error(ErrorKind::kCancelled, "stopped while enforcing the retention policy");
    std::optional<std::string> obstacle;
    if (carries_any(backups, id, staying)) {
      obstacle = "a backup that is built on it is in use";
    } else {
      events.info(
          fmt::format("Enforcing retention policy: removing backup {} for server {}", id.text, home.server));
      obstacle = obstacle_to(deletion, id);
    }
    if (!obstacle) continue;
    staying.insert(id);
    events.warning(
        fmt::format("Backup {} of server {} is deleted later: {}", id.text, home.server, *obstacle));
  }
}

}  // namespace barman::engine
