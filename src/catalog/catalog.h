// What is known about one server's backups: small text objects in two stores.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/listing.h"
#include "store/object_store.h"

namespace barman::catalog {

class BucketRecords;

// What the place of the base backups is for their catalogue.
enum class BaseIs {
  kOldPlace,  // a folder: older releases kept records there
  kCopy,      // a bucket: gets all that is saved, and is asked only for what meta has no record of
  kOrigin,    // a bucket that others fill: what it has is what there is
};

// `meta` is rooted at <backup_directory>/meta, `base` at the place of the base backups, where records are
// <id>/backup.info and <id>/annotations/<key>.
class Catalog {
 public:
  // Hears that a record was saved, but the bucket did not take its copy.
  using NotCopied = std::function<void(const BackupId& id, const std::string& reason)>;

  // Without `not_copied`, save() throws that.
  Catalog(store::ObjectStore& meta, store::ObjectStore& base, BaseIs base_is = BaseIs::kOldPlace,
          NotCopied not_copied = {})
      : meta_(meta), base_(base), base_is_(base_is), tell_not_copied_(std::move(not_copied)) {}

  // A backup whose deletion was begun is FAILED, whatever its record says. A bucket that only has copies and
  // cannot be asked is a damaged entry.
  [[nodiscard]] Listing list() const;
  // Nothing if there is no such backup. Throws kCorrupt if its record is damaged.
  [[nodiscard]] std::optional<BackupInfo> find(const BackupId& id) const;
  // The record of a backup that begins: as save(), but returns false, having saved nothing, if the bucket has
  // one of this id by now, which another host put there. Noticed by stores that know conditional writes.
  [[nodiscard]] bool add(const BackupInfo& info);
  // Durable and atomic: to meta, then to the bucket; only to that if it is the origin.
  void save(const BackupInfo& info);
  // Removes the record, new and old place, its annotations and what else meta has of the backup.
  void forget(const BackupId& id);

  // Annotations: "keep" (full, standalone), which goes to the bucket first if there is one, and
  // "delete_this", which is a matter of this host.
  [[nodiscard]] std::optional<std::string> annotation(const BackupId& id, std::string_view key) const;
  // All that have one, with its value.
  [[nodiscard]] std::map<BackupId, std::string> annotations(std::string_view key) const;
  void annotate(const BackupId& id, std::string_view key, std::string_view value);
  void remove_annotation(const BackupId& id, std::string_view key);

  // Meta and a bucket that gets copies, brought together after trouble; nothing for another base.
  // Records that the bucket did not take:
  [[nodiscard]] std::vector<BackupId> not_copied() const;
  void copy(const BackupId& id);
  // Takes finished backups that meta has no record of into it, and keep annotations that others made. Returns
  // the ids of these backups.
  std::vector<BackupId> adopt();

 private:
  // What the names in meta tell.
  struct Local {
    std::vector<std::string> records;  // names, those of foreign files too
    std::set<BackupId> ids;            // that have a record
    std::set<BackupId> doomed;         // whose deletion was begun
    bool is_whole = true;              // it has records, and no adoption was cut short
  };
  [[nodiscard]] Local look() const;
  [[nodiscard]] bool is_copied() const { return base_is_ == BaseIs::kCopy; }

  void add_local(const Local& local, Listing& listing) const;
  void add_old_place(const Local& local, Listing& listing) const;
  void add_bucket(const Local& local, Listing& listing) const;
  void try_to_add_bucket(const Local& local, Listing& listing) const;
  void adopt_keeps(const BucketRecords& bucket, const std::map<BackupId, std::string>& records,
                   const Local& local);
  [[nodiscard]] std::optional<BackupInfo> find_in_bucket(const BackupId& id) const;
  // Whether an annotation that is not in meta may be there.
  [[nodiscard]] bool may_be_in_base(const BackupId& id, std::string_view key) const;
  void send(const BackupId& id, std::string_view text);
  void add_to_meta(const BackupInfo& info, const std::exception_ptr& failure);
  void tell_or_throw(const BackupId& id, const std::exception_ptr& failure) const;

  store::ObjectStore& meta_;
  store::ObjectStore& base_;
  const BaseIs base_is_;
  const NotCopied tell_not_copied_;
};

// What a person wrote for a backup, resolved: id, name, latest/last, oldest/first, last-failed,
// latest-full/last-full. Nothing if there is none. Throws kUsage if a name matches several, listing their
// ids.
std::optional<BackupInfo> resolve(const std::vector<BackupInfo>& backups, std::string_view word);

// The neighbouring available backups, by id.
std::optional<BackupInfo> previous_of(const std::vector<BackupInfo>& backups, const BackupId& id);
std::optional<BackupInfo> next_of(const std::vector<BackupInfo>& backups, const BackupId& id);

}  // namespace barman::catalog
