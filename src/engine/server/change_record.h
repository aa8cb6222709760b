// A change of a backup's record that no other change gets lost by.
//
// A process that takes, checks or deletes one backup holds a lock of its own, yet may have to change the
// record of another one: a new incremental backup that of its parent, while somebody checks that.
#pragma once

#include <functional>
#include <optional>

#include "catalog/catalog.h"
#include "engine/server/home.h"

namespace barman::engine {

// Reads the record, lets `change` work on it and saves it if that returns true; whoever else calls this for a
// backup of the server waits meanwhile, so `change` must be quick. Returns the record as it is then; nothing,
// without a call, if there is none any more.
//
// Every change goes this way but those of the process that takes the backup, as long as it is EMPTY or
// STARTED: till then nobody else may change it.
std::optional<catalog::BackupInfo> change_record(const Home& home, catalog::Catalog& catalog,
                                                 const catalog::BackupId& id,
                                                 const std::function<bool(catalog::BackupInfo&)>& change);

}  // namespace barman::engine
