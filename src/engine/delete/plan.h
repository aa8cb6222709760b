// What deleting a backup means, decided before anything is touched.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"

namespace barman::engine {

struct DeletePlan {
  std::vector<catalog::BackupId> order;  // each before the one that it is built on; the one asked for is last
  std::optional<std::string> refusal{};  // why it may not be deleted
};

// Refused: a kept backup in the tree, and a backup that the minimum redundancy needs.
DeletePlan plan_delete(const std::vector<catalog::BackupInfo>& backups,
                       const std::map<catalog::BackupId, std::string>& kept, std::uint32_t minimum_redundancy,
                       const catalog::BackupInfo& info, const std::string& server);

// The backup and all incrementals that are built on it, each before the one that it is built on.
std::vector<catalog::BackupId> tree_of(const std::vector<catalog::BackupInfo>& backups,
                                       const catalog::BackupId& id);

}  // namespace barman::engine
