// list-backups: a line for each backup, or an array in JSON.
#pragma once

#include <string>
#include <vector>

#include "engine/show/backups.h"
#include "report/writer.h"

namespace barman::report {

void report_backups(const engine::BackupList& list, Writer& out);

// --minimal: only the ids.
void report_backup_ids(const std::string& server, const std::vector<catalog::BackupInfo>& newest_first,
                       Writer& out);

// What is to be said of a server's catalogue, each a warning.
void report_warnings(const std::string& server, const std::vector<std::string>& warnings, Writer& out);

// "full", "incremental", "rsync", "snapshot".
std::string_view type_name(catalog::BackupType type);

// Seconds since the epoch, as text.
std::string epoch_text(const catalog::Timestamp& timestamp);

}  // namespace barman::report
