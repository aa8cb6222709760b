// Fills the record of a backup, step by step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/backup/streaming.h"
#include "engine/server/inspect.h"

namespace barman::engine {

// The id of a backup that starts now: the local time, moved on by seconds where needed so that it comes after
// all `existing` (the clock was set back, two backups in a second).
catalog::BackupId next_backup_id(Time now, const std::vector<catalog::BackupInfo>& existing);

// Where the server is when the backup begins. The label replaces the position later.
void record_start(catalog::BackupInfo& info, const WalPosition& position, const ServerFacts& facts);

// How long the copy took.
void record_copy(catalog::BackupInfo& info, const StreamingOutcome& outcome);

// The tablespaces that were copied, with their names from `named`, as known by SQL.
void record_tablespaces(catalog::BackupInfo& info, const StreamingOutcome& outcome,
                        const std::vector<catalog::Tablespace>& named);

// "0/3000028 (000000010000000000000003, 00000028)", or only the position if the rest is not known.
std::string position_text(const std::optional<pgformat::Lsn>& lsn, const std::optional<std::string>& wal,
                          const std::optional<std::uint64_t>& offset);

// Configuration files that are not inside the data directory, so not in the backup.
std::vector<std::string> external_files(const catalog::BackupInfo& info);

}  // namespace barman::engine
