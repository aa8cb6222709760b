// The archive as it is on disk.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "catalog/xlogdb.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

class WalFormat;

// What a scan of the archive finds, in ascending order of names within each folder, folders first.
struct ArchiveVisitor {
  std::function<void(const pgformat::WalName&, const catalog::WalEntry&)> wal;
  std::function<void(const std::filesystem::path&)> foreign;  // neither WAL nor the index
};

// Goes through `wals`: segments, partials and backup labels in the folders of 16 digits, history files at the
// top. Skips `index_name`, and dot files, which are somebody's work in progress. An archive that does not
// exist is empty. For `format` see describe_stored_wal().
void scan_archive(const std::filesystem::path& wals, const std::string& index_name, const WalFormat* format,
                  const ArchiveVisitor& visitor);

}  // namespace barman::engine
