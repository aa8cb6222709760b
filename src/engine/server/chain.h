// The backups that an incremental one is built on, all of which its restore needs.
#pragma once

#include <vector>

#include "catalog/backup_info.h"

namespace barman::engine {

// From the full backup to `info`, which is the last; of a full backup only itself. Throws kRefused, naming
// it, for a member that has no record, is not complete, belongs to another cluster or major version, or is
// not the one that the next member was built on.
std::vector<catalog::BackupInfo> chain_of(const std::vector<catalog::BackupInfo>& backups,
                                          const catalog::BackupInfo& info);

}  // namespace barman::engine
