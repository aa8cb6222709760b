#include "engine/bucket_cleanup/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "catalog/bucket_records.h"
#include "catalog/file_names.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/home_catalog.h"
#include "os/lock_file.h"
#include "store/directory_store.h"
#include "store/inspection.h"

namespace barman::engine {
namespace {

using catalog::BackupId;

// What a bucket has of a backup.
struct Folder {
  std::vector<std::string> keys{};
  std::uint64_t bytes = 0;
  Time newest{};  // uploads too
  bool has_record = false;
  bool is_kept = false;
};

void add_object(const store::ObjectInfo& object, const BackupId& id, Folder& folder) {
  folder.keys.push_back(object.key);
  folder.bytes += object.size;
  folder.newest = std::max(folder.newest, object.modified);
  folder.has_record = folder.has_record || object.key == backup_info_key(id);
  folder.is_kept = folder.is_kept || object.key == annotation_key(id, catalog::kKeep);
}

// Backups that this host has a record of, readable or not, or keeps.
std::set<BackupId> ids_known_here(const Home& home) {
  std::set<BackupId> ids;
  store::DirectoryStore meta(home.meta);
  for (const std::string& name : meta.children("")) {
    if (const auto id = catalog::id_in_record_name(name)) ids.insert({*id});
    if (const auto id = catalog::id_in_annotation_name(name, catalog::kKeep)) ids.insert(*id);
  }
  return ids;
}

class CleanupPlanner {
 public:
  CleanupPlanner(const Home& home, const RemovalRules& rules, std::chrono::hours limit, Time now)
      : home_(home), rules_(rules), limit_(limit), now_(now) {}

  CleanupPlan make() {
    if (home_.backup_bucket) plan_backups();
    if (home_.wal_bucket) plan_wal();
    return std::move(plan_);
  }

 private:
  // The store's clock may be ahead of ours.
  [[nodiscard]] bool is_old(Time touched) const {
    return std::max(now_ - touched, Time::duration::zero()) >= limit_;
  }

  void plan_backups() {
    store::Bucket& bucket = home_.backup_bucket->bucket();
    known_here_ = ids_known_here(home_);
    // Uploads first: what is complete by the time of the listing is an object then.
    const auto uploads = bucket.unfinished_uploads(fmt::format("{}/", kCloudBackups));
    bucket.list(fmt::format("{}/", kCloudBackups), [&](const store::ObjectInfo& object) {
      if (const auto id = backup_of_key(object.key)) add_object(object, *id, folders_[*id]);
      add_trial(home_.backup_bucket, object);
      return true;
    });
    for (const store::UnfinishedUpload& upload : uploads) {
      if (const auto id = backup_of_key(upload.key)) {
        folders_[*id].newest = std::max(folders_[*id].newest, upload.begun);
      }
    }
    for (const auto& [id, folder] : folders_) {
      if (is_abandoned(id, folder)) add_backup(id, folder);
    }
    for (const store::UnfinishedUpload& upload : uploads) {
      const auto id = backup_of_key(upload.key);
      if (!id || !is_under_way(*id)) add_upload(home_.backup_bucket, upload);
    }
  }

  void plan_wal() {
    store::Bucket& bucket = home_.wal_bucket->bucket();
    for (const store::UnfinishedUpload& upload : bucket.unfinished_uploads(cloud_wal_folder())) {
      add_upload(home_.wal_bucket, upload);
    }
    bucket.list(trial_key(kCloudWals, ""), [&](const store::ObjectInfo& object) {
      add_trial(home_.wal_bucket, object);
      return true;
    });
  }

  void add_trial(const std::shared_ptr<BucketHome>& home, const store::ObjectInfo& object) {
    if (!is_trial_key(object.key) || !is_old(object.modified)) return;
    plan_.left_overs.push_back({.kind = LeftOver::Kind::kTrial,
                                .home = home,
                                .name = home->full_key(object.key),
                                .keys = {object.key},
                                .bytes = object.size,
                                .newest = object.modified});
  }

  void add_upload(const std::shared_ptr<BucketHome>& home, const store::UnfinishedUpload& upload) {
    if (!is_old(upload.begun)) return;
    plan_.left_overs.push_back({.kind = LeftOver::Kind::kUpload,
                                .home = home,
                                .name = home->full_key(upload.key),
                                .upload = upload,
                                .bytes = home->bucket().inspection().uploaded_bytes(upload),
                                .newest = upload.begun});
  }

  [[nodiscard]] bool is_abandoned(const BackupId& id, const Folder& folder) const {
    return !folder.keys.empty() && !folder.has_record && !known_here_.contains(id) && is_old(folder.newest);
  }

  void add_backup(const BackupId& id, const Folder& folder) {
    if (folder.is_kept) return note(id, "it is kept");
    if (os::lock_owner(home_.id_lock(id))) return note(id, "it is in use by another process");
    if (const auto why = needed_by_others(id)) return note(id, *why);
    if (const auto key = locked_among(folder.keys)) return note(id, *key + " is locked in the bucket");
    plan_.left_overs.push_back({.kind = LeftOver::Kind::kBackup,
                                .home = home_.backup_bucket,
                                .name = home_.backup_bucket->full_key(backup_folder(id)),
                                .keys = folder.keys,
                                .backup = id,
                                .bytes = folder.bytes,
                                .newest = folder.newest});
  }

  void note(const BackupId& id, const std::string& why) {
    plan_.notes.push_back(fmt::format("Backup {} of server {} has no record, but stays as it is: {}", id.text,
                                      home_.server, why));
  }

  // Why a backup that has a record may be built on it.
  std::optional<std::string> needed_by_others(const BackupId& id) {
    if (!records_) records_ = all_records();
    for (const catalog::BackupInfo& info : records_->backups) {
      if (info.parent_backup_id == id) return fmt::format("backup {} is built on it", info.id.text);
    }
    if (records_->damaged.empty()) return std::nullopt;
    return fmt::format("{} cannot be read and may need it: {}", records_->damaged.front().name,
                       records_->damaged.front().reason);
  }

  // Of this host and of the bucket.
  [[nodiscard]] catalog::Listing all_records() const {
    catalog::Listing listing = HomeCatalog(home_)->list();
    const auto base = base_store(home_);
    const catalog::BucketRecords bucket(*base);
    catalog::Listing others = bucket.read(bucket.ids());
    listing.backups.insert(listing.backups.end(), others.backups.begin(), others.backups.end());
    listing.damaged.insert(listing.damaged.end(), others.damaged.begin(), others.damaged.end());
    return listing;
  }

  std::optional<std::string> locked_among(const std::vector<std::string>& keys) {
    if (!rules_.check_locks) return std::nullopt;
    const auto locked = std::ranges::find_if(
        keys, [&](const std::string& key) { return home_.backup_bucket->bucket().is_locked(key, now_); });
    return locked == keys.end() ? std::nullopt : std::optional(*locked);
  }

  // Whether somebody else may be taking it. What this host knows of is not under way: its lock is held.
  bool is_under_way(const BackupId& id) {
    const auto [at, is_new] = under_way_.try_emplace(id, false);
    if (is_new && !known_here_.contains(id)) {
      const Folder& folder = folders_[id];
      at->second = folder.has_record ? is_taken_by_others(id) : !is_old(folder.newest);
    }
    return at->second;
  }

  bool is_taken_by_others(const BackupId& id) {
    const auto base = base_store(home_);
    const catalog::Listing listing = catalog::BucketRecords(*base, id).read({id});
    const bool is_taken = std::ranges::none_of(listing.backups, [](const catalog::BackupInfo& info) {
      return info.status != catalog::BackupStatus::kEmpty && info.status != catalog::BackupStatus::kStarted;
    });
    if (is_taken) {
      plan_.notes.push_back(
          fmt::format("Unfinished uploads of backup {} of server {} stay: by its record it is being taken by "
                      "another host. If it is not, delete it there",
                      id.text, home_.server));
    }
    return is_taken;
  }

  const Home& home_;
  const RemovalRules& rules_;
  const std::chrono::hours limit_;
  const Time now_;
  std::set<BackupId> known_here_;
  std::map<BackupId, Folder> folders_;
  std::map<BackupId, bool> under_way_;
  std::optional<catalog::Listing> records_;  // read when they are needed first
  CleanupPlan plan_;
};

}  // namespace

CleanupPlan plan_cleanup(const Home& home, const RemovalRules& rules, std::chrono::hours limit, Time now) {
  return CleanupPlanner(home, rules, limit, now).make();
}

bool is_unchanged(const LeftOver& left_over) {
  Folder folder;
  store::Bucket& bucket = left_over.home->bucket();
  bucket.list(backup_folder(left_over.backup), [&](const store::ObjectInfo& object) {
    add_object(object, left_over.backup, folder);
    return true;
  });
  for (const store::UnfinishedUpload& upload : bucket.unfinished_uploads(backup_folder(left_over.backup))) {
    folder.newest = std::max(folder.newest, upload.begun);
  }
  return folder.keys == left_over.keys && folder.newest <= left_over.newest;
}

}  // namespace barman::engine
