// Puts the archived WAL that goes with a restore in its place.
#pragma once

#include <stop_token>

#include "engine/restore/wal_plan.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

struct WalCopying {
  const Home& home;
  const WalPlan& plan;
  const std::filesystem::path& folder;  // is made
  const WalFormat& format;              // to read the archive with
  unsigned workers = 1;                 // more fetch from a bucket
};

// Plain, whatever it is in the archive. Throws kCorrupt, naming it, for a file that is not as it was
// recorded.
void copy_wal(const WalCopying& copying, const std::stop_token& stop);

// Files that say that a segment is archived: the restored server must not archive it again.
void write_archive_status(const WalPlan& plan, const std::filesystem::path& status);

}  // namespace barman::engine
