// Backups whose process ended without finishing them: killed, or lost with the machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/server/home.h"

namespace barman::engine {

class Events;

// Marks every backup that is still EMPTY or STARTED as FAILED, says so in a warning for each, and returns
// their ids. The caller holds the server's backup lock: so nobody is working on them.
std::vector<catalog::BackupId> settle_interrupted_backups(catalog::Catalog& catalog,
                                                          const std::string& server, Events& events);

// The same, for callers that do not hold the lock: does nothing while somebody else does, and for a bucket
// that others fill.
std::vector<catalog::BackupId> settle_interrupted_backups(const Home& home, catalog::Catalog& catalog,
                                                          Events& events);

}  // namespace barman::engine
