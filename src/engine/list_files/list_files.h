// list-files: the files of a backup, and the WAL that belongs to it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/xlogdb.h"
#include "engine/server/home.h"

namespace barman::engine {

enum class ListTarget {
  kData,        // the backup's own files
  kStandalone,  // and the segments that make it consistent, whether they are there or not
  kWal,         // what is archived from the backup's begin up to the end of the next one, and all histories
  kFull,        // kData and kWal
};

struct ListRequest {
  catalog::BackupInfo backup;
  std::optional<catalog::BackupInfo> next{};  // the available backup that follows
  ListTarget target = ListTarget::kStandalone;
  bool empty_directories = false;
};

// Absolute paths, or keys in the bucket; WAL after data. In each directory the files come first, in order of
// their names. Throws kFailed if the backup cannot be read.
void list_files(const Home& home, const ListRequest& request, const std::vector<catalog::WalEntry>& index,
                const std::function<void(const std::filesystem::path&)>& visit);

}  // namespace barman::engine
