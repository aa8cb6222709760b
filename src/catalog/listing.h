// What a catalogue holds, as far as it can be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"

namespace barman::catalog {

// Stands for all entries of a bucket that could not be asked for them.
inline constexpr std::string_view kBucketCatalogue = "the bucket's catalogue";

// An entry that could not be read: a listing names it and goes on.
struct DamagedEntry {
  std::string name;  // file, relative to its store, or kBucketCatalogue
  std::string reason;
};

struct Listing {
  std::vector<BackupInfo> backups{};  // ascending by id
  std::vector<DamagedEntry> damaged{};
  std::vector<std::string> remarks{};  // what a reader should know of where the records are from
};

// Whether there may be backups that are not listed, because the bucket could not be asked.
[[nodiscard]] bool lacks_bucket(const Listing& listing);

// What a person should be told of the listing, a line each.
std::vector<std::string> warnings_of(const Listing& listing);

// Reads a record into the listing, or says there why it cannot be read.
void add_record(const BackupId& id, const std::string& name, const std::string& text, Listing& into);

}  // namespace barman::catalog
