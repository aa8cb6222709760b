// Which WAL the archive holds, for those who plan by it.
#pragma once

#include <vector>

#include "catalog/xlogdb.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// What the index says; where others fill a bucket, of which the index here need not know, what is there.
std::vector<catalog::WalEntry> known_wal(const Home& home, const WalFormat& format, Events& events);

}  // namespace barman::engine
