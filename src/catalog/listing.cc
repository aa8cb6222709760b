#include "catalog/listing.h"

#include "base/error.h"

namespace barman::catalog {

std::vector<std::string> warnings_of(const Listing& listing) {
  std::vector<std::string> lines = listing.remarks;
  for (const DamagedEntry& entry : listing.damaged) {
    lines.push_back("the catalogue entry " + entry.name + " is left out: " + entry.reason);
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
