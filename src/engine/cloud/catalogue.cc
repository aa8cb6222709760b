#include "engine/cloud/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/server/cloud_keys.h"

namespace barman::engine {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;

CloudCatalogue::CloudCatalogue(store::ObjectStore& store)
    : base_([&store]() -> store::ObjectStore& { return store; }, kCloudBackups),
      catalog_(none_, base_, catalog::BaseIs::kOrigin) {}

std::optional<BackupId> resolve_cloud_backup(const std::vector<BackupInfo>& backups, const std::string& word,
                                             const std::string& server) {
  if (catalog::is_backup_id(word)) {
    const auto found = std::ranges::find(backups, word, [](const BackupInfo& info) { return info.id.text; });
    return found == backups.end() ? std::nullopt : std::optional(found->id);
  }
  std::vector<BackupId> matching;
  for (const BackupInfo& info : backups) {
    const bool is_there = info.status != BackupStatus::kStarted && info.status != BackupStatus::kEmpty;
    const bool wanted = word == "last-failed" ? info.status == BackupStatus::kFailed
                        : word == "first" || word == "oldest" || word == "last" || word == "latest"
                            ? is_there
                            : info.backup_name == word;
    if (wanted) matching.push_back(info.id);
  }
  if (word == "first" || word == "oldest")
    return matching.empty() ? std::nullopt : std::optional(matching.front());
  if (word == "last" || word == "latest" || word == "last-failed") {
    return matching.empty() ? std::nullopt : std::optional(matching.back());
  }
  if (matching.size() == 1) return matching.front();
  if (matching.empty())
    throw Error(ErrorKind::kUsage, fmt::format("Unknown backup '{}' for server '{}'", word, server));
  throw Error(
      ErrorKind::kUsage,
      fmt::format("several backups of server '{}' have the name '{}'; use the id of one", server, word));
}

}  // namespace barman::engine
