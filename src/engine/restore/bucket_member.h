// A member of a chain that is kept as archives in the bucket of the home.
#pragma once

#include "catalog/backup_info.h"
#include "engine/restore/member.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// Throws kCorrupt, naming it, if an archive is missing or the record says that one is.
OpenMember open_bucket_member(const Home& home, const catalog::BackupInfo& info, const WalFormat& format);

}  // namespace barman::engine
