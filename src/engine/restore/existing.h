// What stands in the destination of a delta restore: is it ours to write over, and what of it has to go?
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/destination.h"

namespace barman::engine {

// Whether the backup has a file that manifests call so, and a restore brings it back.
using HasFile = std::function<bool(const std::string& path)>;

// What a delta restore removes because the backup does not have it.
struct Leftovers {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> links{};  // to files or folders elsewhere, which stay: the links alone go

  friend bool operator==(const Leftovers&, const Leftovers&) = default;
};

// Whether the folder is absent, is none, or holds nothing: there is nothing that a delta restore could keep.
bool is_vacant(const std::filesystem::path& folder);

// Looks at the data directory and its tablespaces, and says of each that is not vacant how much of its room
// can be used again (RestoreFolder::reused). Throws kRefused, having touched nothing, for a directory in
// which a server runs, and for one that is no earlier state of the backup's cluster.
Leftovers plan_existing(std::vector<RestoreFolder>& folders, const HasFile& has_file,
                        const catalog::BackupInfo& backup);

// Removes pg_control, durably, then all that the backup does not have. The folders are prepared. Nothing
// outside of them is touched: links are not followed. The server's own logs stay, and what else lives beside
// a tablespace.
void clear_existing(const std::vector<RestoreFolder>& folders, const HasFile& has_file,
                    const catalog::BackupInfo& backup);

}  // namespace barman::engine
