// Backups that are kept as tar archives in a folder.
#pragma once

#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/archive_member.h"
#include "engine/server/home.h"

namespace barman::engine {

// Whether the backup, which is kept in a folder, is there as archives, or should be and they are gone. A data
// directory is none, whatever its record says.
bool is_archived(const Home& home, const catalog::BackupInfo& info);

// Throws kCorrupt, naming it, if an archive is missing.
std::vector<KeptArchive> archives_on_disk(const Home& home, const catalog::BackupInfo& info);

}  // namespace barman::engine
