// Removing WAL that no backup needs, from the archive and its index.
#pragma once

#include <string>
#include <vector>

#include "catalog/wal_removal.h"
#include "engine/events.h"
#include "engine/server/bucket_remover.h"
#include "engine/server/home.h"

namespace barman::engine {

// Removes what `removal` says, and returns the names in the order of the index. The files go first, then the
// lines of the index, so that after a crash the next removal finds and finishes the rest. Files that were not
// there are a warning; throws kFailed, and keeps the lines, if some could not be removed. Of `rules` the size
// of a batch is heeded.
std::vector<std::string> purge_wal(const Home& home, const catalog::WalRemoval& removal,
                                   const RemovalRules& rules, Events& events);

}  // namespace barman::engine
