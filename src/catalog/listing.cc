#include "catalog/listing.h"

#include <algorithm>

#include "base/error.h"

namespace barman::catalog {

bool lacks_bucket(const Listing& listing) {
  return std::ranges::find(listing.damaged, kBucketCatalogue, &DamagedEntry::name) != listing.damaged.end();
}

std::vector<std::string> warnings_of(const Listing& listing) {
  std::vector<std::string> lines = listing.remarks;
  for (const DamagedEntry& entry : listing.damaged) {
    lines.push_back(entry.name == kBucketCatalogue
                        ? "backups that only the bucket has a record of are left out: " + entry.reason
                        : "the catalogue entry " + entry.name + " is left out: " + entry.reason);
  }
  return lines;
}

void add_record(const BackupId& id, const std::string& name, const std::string& text, Listing& into) {
  try {
    into.backups.push_back(parse_backup_info(id, text));
  } catch (const Error& e) {
    into.damaged.push_back({.name = name, .reason = e.what()});
  }
}

}  // namespace barman::catalog
