// generate-manifest: describes a backup that came without a manifest as the server would have described it.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

struct ManifestRequest {
  catalog::BackupInfo backup;
  WalFormat format{};  // to decrypt the backup as
  unsigned jobs = 1;
};

// Reads the whole backup, in whatever form it is kept, and writes backup_manifest where PostgreSQL's would
// be: all files, those of tablespaces too, with SHA-256 checksums. It appears when it is complete. Returns
// how many files it lists. Throws kRefused if there is one already, or if the backup is not whole; kCancelled
// on a stop.
std::uint64_t generate_manifest(const Home& home, const ManifestRequest& request, Clock& clock,
                                Events& events, const std::stop_token& stop);

}  // namespace barman::engine
