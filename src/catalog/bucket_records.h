// The records and annotations in a bucket, found by one listing and read several at a time.
//
// A backup that is deleted loses its data first, that of data.tar above all: a record without it is not to be
// believed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/listing.h"
#include "store/object_store.h"

namespace barman::catalog {

class BucketRecords {
 public:
  // Lists all, or one backup's. `base` has a folder for each; it outlives this.
  explicit BucketRecords(store::ObjectStore& base) : BucketRecords(base, "") {}
  BucketRecords(store::ObjectStore& base, const BackupId& only) : BucketRecords(base, only.text + "/") {}

  // Backups that have a record, ascending; a folder without one is no backup.
  [[nodiscard]] std::vector<BackupId> ids() const;
  // Whether the bucket has what a backup with this record begins with.
  [[nodiscard]] bool has_data(const BackupInfo& info) const;

  // The records of some of them. Those that cannot be read are named; those that say that all is there
  // although it is not are FAILED.
  [[nodiscard]] Listing read(const std::vector<BackupId>& ids) const;
  // The values of an annotation. Throws if one cannot be read.
  [[nodiscard]] std::map<BackupId, std::string> annotations(std::string_view key) const;

 private:
  BucketRecords(store::ObjectStore& base, const std::string& prefix);

  store::ObjectStore& base_;
  std::map<BackupId, std::uint64_t> records_;  // and their sizes
  std::set<BackupId> with_data_;
  std::map<std::string, std::vector<BackupId>, std::less<>> annotated_;  // by key
};

// The value of an annotation as it was meant: files may end with a line end.
std::string annotation_value(std::string text);

}  // namespace barman::catalog
