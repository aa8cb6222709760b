#include "engine/delete/delete.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "catalog/file_names.h"
#include "engine/server/bucket_home.h"
#include "engine/server/change_record.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/wal_purge.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/lock_file.h"
#include "os/tree.h"

namespace barman::engine {

using catalog::BackupId;
using catalog::BackupInfo;

namespace {

// What a backup in a bucket consists of; nothing for one in a folder.
std::vector<std::string> objects_of(const Home& home, const BackupId& id) {
  if (!home.backup_bucket) return {};
  return data_objects(home.backup_bucket->bucket(), id);
}

std::vector<std::string> with_record(std::vector<std::string> objects, const BackupId& id) {
  objects.push_back(backup_info_key(id));
  return objects;
}

}  // namespace

bool Deletion::remove(const BackupId& id, catalog::DeletedBy who) {
  auto lock = os::LockFile::try_acquire(home_.id_lock(id));
  if (!lock) return false;
  const auto info = catalog_.find(id);
  if (!info)
    throw Error(ErrorKind::kRefused,
                fmt::format("Unknown backup '{}' for server '{}'", id.text, home_.server));
  const bool has_begun = catalog_.annotation(id, catalog::kDeleteThis).has_value();
  if (!has_begun && catalog_.annotation(id, catalog::kKeep)) return false;
  const std::vector<std::string> objects = objects_of(home_, id);
  if (!objects.empty()) {
    BucketRemover(home_.backup_bucket->bucket(), rules_, clock_).require_unlocked(with_record(objects, id));
  }
  const Time began = clock_.now();
  events_.info(fmt::format("Deleting backup {} for server {}", id.text, home_.server));
  catalog_.annotate(id, catalog::kDeleteThis, "delete");
  os::fault_point("delete-marked");
  if (home_.backup_bucket) {
    remove_objects(*info, objects);
  } else {
    remove_files(*info);
  }
  os::fault_point("delete-files-removed");
  remove_wal(*info, who);
  os::fault_point("delete-wal-removed");
  release_parent(*info);
  os::fault_point("delete-parent-released");
  catalog_.forget(id);
  if (!home_.backup_bucket) measure_next(*info);
  events_.info(fmt::format("Deleted backup {} (start time: {}, elapsed time: {})", id.text, ctime_text(began),
                           human_duration(clock_.now() - began)));
  lock->unlink();
  return true;
}

// Decided while the catalogue still has the backup: its neighbours tell what the WAL is needed for.
void Deletion::remove_wal(const BackupInfo& info, catalog::DeletedBy who) {
  const catalog::Listing listing = catalog_.list();
  const auto removal =
      catalog::wal_to_remove(listing.backups, info, catalog_.annotations(catalog::kKeep), who);
  if (!removal) return;
  if (!listing.damaged.empty()) {
    events_.warning(fmt::format("The WAL of backup {} is kept, because {} cannot be read and may need it: {}",
                                info.id.text, listing.damaged.front().name, listing.damaged.front().reason));
    return;
  }
  events_.info("Delete associated WAL segments:");
  for (const std::string& name : purge_wal(home_, *removal, rules_, events_)) events_.info("\t" + name);
}

void Deletion::remove_files(const BackupInfo& info) {
  // Tablespaces are folders within this one; links that lead out of it are removed, never followed.
  if (os::remove_tree(home_.backup(info.id))) os::sync_directory(home_.base);
}

// The first object is the one without which the others are no backup: while it is there, all is as it was.
void Deletion::remove_objects(const BackupInfo& info, const std::vector<std::string>& objects) {
  store::Bucket& bucket = home_.backup_bucket->bucket();
  BucketRemover remover(bucket, rules_, clock_);
  if (!objects.empty()) {
    try {
      remover.remove({objects.front()});
    } catch (const Error&) {
      if (is_first_archive(objects.front(), info.id) && bucket.stat(objects.front())) {
        catalog_.remove_annotation(info.id, catalog::kDeleteThis);
      }
      throw;
    }
    os::fault_point("delete-first-object-removed");
    remover.remove({objects.begin() + 1, objects.end()});
  }
  remover.withdraw_uploads(info.id);
}

void Deletion::release_parent(const BackupInfo& info) {
  if (!info.parent_backup_id) return;
  change_record(home_, catalog_, *info.parent_backup_id,
                [&](BackupInfo& parent) { return std::erase(parent.children_backup_ids, info.id) > 0; });
}

// Backups by rsync share files with their predecessor by hard links: those are now the next one's own.
void Deletion::measure_next(const BackupInfo& info) {
  const auto next = catalog::next_of(catalog_.list().backups, info.id);
  if (!next || catalog::backup_type(*next) != catalog::BackupType::kRsync) return;
  const os::TreeSize size = os::measure_tree(home_.backup(next->id));
  change_record(home_, catalog_, next->id, [&](BackupInfo& record) {
    record.size = size.bytes;
    record.deduplicated_size = size.unique_bytes;
    return true;
  });
}

}  // namespace barman::engine
