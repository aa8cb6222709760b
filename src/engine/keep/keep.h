// keep: marks a backup so that neither retention policies nor people delete it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/catalog.h"

namespace barman::engine {

// Why such a backup cannot be kept; nothing if it can.
std::optional<std::string> keep_problem(const catalog::BackupInfo& info);

// Keeps the backup as `target` says: "full", usable with all WAL since, or "standalone", with only the WAL
// that makes it consistent. Throws kRefused if it cannot be kept, is half deleted, or is gone. The caller
// holds the backup, so that it is not deleted meanwhile.
void keep_backup(catalog::Catalog& catalog, const catalog::BackupId& id, std::string_view target);

}  // namespace barman::engine
