// BASE_BACKUP: the command in both grammars, and the conversation that follows.
#pragma once

#include <stop_token>
#include <string>

#include "postgres/connection.h"
#include "postgres/replication.h"

namespace barman::postgres {

// The command for a server of `version` (server_version_num). Throws kUsage if the rate is not one that
// servers take.
std::string base_backup_command(const BaseBackupOptions& options, int version);

// See Replication::base_backup.
void run_base_backup(Connection& connection, const BaseBackupOptions& options, BaseBackupReceiver& receiver,
                     const std::stop_token& stop);

// The file that a WARNING about a page checksum names; empty if the text names none.
std::string file_of_checksum_warning(std::string_view text);

}  // namespace barman::postgres
