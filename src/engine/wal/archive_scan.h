// An archive in a folder as it is on disk.
#pragma once

#include <filesystem>
#include <string>

#include "engine/wal/wal_archive.h"

namespace barman::engine {

// Goes through `wals`: segments, partials and backup labels in the folders of 16 digits, history files at the
// top. Skips `index_name`, and dot files, which are somebody's work in progress. An archive that does not
// exist is empty. Folders come first. For `format` see describe_stored_wal().
void scan_archive(const std::filesystem::path& wals, const std::string& index_name, const WalFormat* format,
                  const ArchiveVisitor& visitor);

}  // namespace barman::engine
