// Deleting a backup: its files, the WAL that only it needed, its record.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/wal_removal.h"
#include "engine/events.h"
#include "engine/server/bucket_remover.h"
#include "engine/server/home.h"

namespace barman::engine {

class Deletion {
 public:
  // `rules` are for what is in a bucket.
  Deletion(const Home& home, catalog::Catalog& catalog, RemovalRules rules, Events& events,
           const Clock& clock)
      : home_(home), catalog_(catalog), rules_(rules), events_(events), clock_(clock) {}

  // Deletes one backup under the lock of its id, whatever is left of it: a deletion that was cut short is
  // finished by doing it again. Returns false, having done nothing, if that lock is held by another process,
  // or if the backup is kept: somebody may have said so since the deletion was planned. The caller holds the
  // server's backup lock, has asked plan_delete(), and deletes descendants first.
  //
  // A backup that is half deleted is marked "delete_this" until its record is gone; the record goes last.
  // Throws kRefused, having done nothing, for what is locked in a bucket; kFailed if something could not be
  // removed. If that is the first object of a bucket, nothing was done.
  bool remove(const catalog::BackupId& id, catalog::DeletedBy who);

 private:
  void remove_wal(const catalog::BackupInfo& info, catalog::DeletedBy who);
  void remove_files(const catalog::BackupInfo& info);
  void remove_objects(const catalog::BackupInfo& info, const std::vector<std::string>& objects);
  void release_parent(const catalog::BackupInfo& info);
  void measure_next(const catalog::BackupInfo& info);

  const Home& home_;
  catalog::Catalog& catalog_;
  const RemovalRules rules_;
  Events& events_;
  const Clock& clock_;
};

}  // namespace barman::engine
