// A backup that must not be deleted while a command reads it.
#pragma once

#include "cli/command.h"
#include "cli/server_catalog.h"
#include "os/lock_file.h"

namespace barman::cli {

// Those who read one backup do not exclude each other. Throws kBusy if it is being deleted.
os::LockFile hold_backup(const ServerCatalog& opened, const catalog::BackupInfo& backup, Parts& parts);

}  // namespace barman::cli
