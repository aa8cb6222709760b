// Finds the manifest of a backup that is in a bucket.
#pragma once

#include <optional>
#include <vector>

#include "engine/restore/kept_manifest.h"
#include "engine/server/cloud_archives.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// The object beside the archives, the file beside the record on this host, or the member of the data
// directory's archives, which is looked for where it would be: near their beginning, if the backup was
// uploaded when it was complete, or at their end. Nothing if the backup came without.
std::optional<KeptManifest> manifest_in_bucket(const Home& home, const catalog::BackupInfo& info,
                                               const std::vector<CloudArchiveObject>& archives,
                                               const WalFormat& format);

}  // namespace barman::engine
