#include "engine/delete/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "catalog/retention.h"

namespace barman::engine {

namespace {

using catalog::BackupId;
using catalog::BackupInfo;

// Children as both sides record them: the lists may differ after a crash.
std::set<BackupId> children_of(const std::vector<BackupInfo>& backups, const BackupId& id) {
  std::set<BackupId> children;
  for (const BackupInfo& info : backups) {
    if (info.parent_backup_id == id) children.insert(info.id);
  }
  const auto self = std::ranges::find(backups, id, &BackupInfo::id);
  if (self == backups.end()) return children;
  for (const BackupId& child : self->children_backup_ids) {
    if (std::ranges::find(backups, child, &BackupInfo::id) != backups.end()) children.insert(child);
  }
  return children;
}

void add_tree(const std::vector<BackupInfo>& backups, const BackupId& id, std::set<BackupId>& seen,
              std::vector<BackupId>& order) {
  if (!seen.insert(id).second) return;  // damaged records can form a circle
  for (const BackupId& child : children_of(backups, id)) add_tree(backups, child, seen, order);
  order.push_back(id);
}

std::optional<std::string> refusal_of(const BackupInfo& info, const std::string& server,
                                      const std::map<BackupId, std::string>& kept, std::size_t redundancy,
                                      std::uint32_t minimum) {
  if (kept.contains(info.id)) {
    return fmt::format(
        "Skipping delete of backup {0} for server {1} as it has a current keep request. If you really "
        "want to delete this backup please remove the keep and try again.",
        info.id.text, server);
  }
  const bool counts = info.status == catalog::BackupStatus::kDone &&
                      catalog::backup_type(info) != catalog::BackupType::kIncremental;
  if (!counts || minimum < redundancy) return std::nullopt;
  return fmt::format(
      "Skipping delete of backup {} for server {} due to minimum redundancy requirements (minimum "
      "redundancy = {}, current redundancy = {})",
      info.id.text, server, minimum, redundancy);
}

}  // namespace

std::vector<BackupId> tree_of(const std::vector<BackupInfo>& backups, const BackupId& id) {
  std::vector<BackupId> order;
  std::set<BackupId> seen;
  add_tree(backups, id, seen, order);
  return order;
}

DeletePlan plan_delete(const std::vector<BackupInfo>& backups, const std::map<BackupId, std::string>& kept,
                       std::uint32_t minimum_redundancy, const BackupInfo& info, const std::string& server) {
  DeletePlan plan{.order = tree_of(backups, info.id)};
  const std::size_t redundancy = catalog::redundancy(backups);
  for (const BackupId& id : plan.order) {
    const auto& member = *std::ranges::find(backups, id, &BackupInfo::id);
    if (!plan.refusal) plan.refusal = refusal_of(member, server, kept, redundancy, minimum_redundancy);
  }
  return plan;
}

}  // namespace barman::engine
