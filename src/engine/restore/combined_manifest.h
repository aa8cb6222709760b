// The backup_manifest of a full backup that a chain of incremental ones was made into.
#pragma once

#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/restore/destination.h"
#include "engine/restore/final_files.h"

namespace barman::engine {

struct CombinedManifest {
  const std::vector<RestoreFolder>& folders;
  const FinalFiles& files;
  std::set<std::string> edited;  // files that are not as the last member has them
  unsigned workers = 1;
};

// Writes it to the data directory: with the checksums of the last member's manifest for what it has whole, of
// the files themselves for the others. Files at the top of the data directory that no backup has are listed
// too.
void write_combined_manifest(const CombinedManifest& manifest, const std::stop_token& stop);

}  // namespace barman::engine
