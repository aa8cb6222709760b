// What is known about one server's backups: small text objects in two stores.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "store/object_store.h"

namespace barman::catalog {

// An entry that could not be read: a listing names it and goes on.
struct DamagedEntry {
  std::string name;  // file, relative to its store
  std::string reason;
};

struct Listing {
  std::vector<BackupInfo> backups;  // ascending by id
  std::vector<DamagedEntry> damaged;
};

// What the place of the base backups is for their catalogue.
enum class BaseIs {
  kOldPlace,  // a folder: older releases kept records there
  kCopy,      // a bucket: gets all that is saved, and is not asked
  kOrigin,    // a bucket that others fill: what it says goes before what meta says
};

// `meta` is rooted at <backup_directory>/meta, `base` at the place of the base backups, where records are
// <id>/backup.info and <id>/annotations/<key>.
class Catalog {
 public:
  Catalog(store::ObjectStore& meta, store::ObjectStore& base, BaseIs base_is = BaseIs::kOldPlace)
      : meta_(meta), base_(base), base_is_(base_is) {}

  [[nodiscard]] Listing list() const;
  // Nothing if there is no such backup. Throws kCorrupt if its record is damaged.
  [[nodiscard]] std::optional<BackupInfo> find(const BackupId& id) const;
  // Durable and atomic: to meta, then to the bucket.
  void save(const BackupInfo& info);
  // Removes the record, new and old place, and its annotations.
  void forget(const BackupId& id);

  // Annotations: "keep" (full, standalone) and "delete_this".
  [[nodiscard]] std::optional<std::string> annotation(const BackupId& id, std::string_view key) const;
  // All that have one, with its value.
  [[nodiscard]] std::map<BackupId, std::string> annotations(std::string_view key) const;
  void annotate(const BackupId& id, std::string_view key, std::string_view value);
  void remove_annotation(const BackupId& id, std::string_view key);

 private:
  store::ObjectStore& meta_;
  store::ObjectStore& base_;
  const BaseIs base_is_;
};

// What a person wrote for a backup, resolved: id, name, latest/last, oldest/first, last-failed,
// latest-full/last-full. Nothing if there is none. Throws kUsage if a name matches several, listing their
// ids.
std::optional<BackupInfo> resolve(const std::vector<BackupInfo>& backups, std::string_view word);

// The neighbouring available backups, by id.
std::optional<BackupInfo> previous_of(const std::vector<BackupInfo>& backups, const BackupId& id);
std::optional<BackupInfo> next_of(const std::vector<BackupInfo>& backups, const BackupId& id);

}  // namespace barman::catalog
