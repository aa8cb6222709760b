#include "engine/cloud/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "catalog/bucket_records.h"
#include "engine/server/cloud_keys.h"
#include "store/prefixed_store.h"

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;

constexpr std::string_view kKeep = "keep";

// Where each backup has its folder.
store::PrefixedStore base_of(store::ObjectStore& store) {
  return {[&store]() -> store::ObjectStore& { return store; }, kCloudBackups};
}

}  // namespace

std::optional<BackupInfo> read_cloud_backup(store::ObjectStore& store, const BackupId& id) {
  const auto text = store::read_text(store, backup_info_key(id));
  if (!text) return std::nullopt;
  return during(backup_info_key(id), [&] { return catalog::parse_backup_info(id, *text); });
}

catalog::Listing read_cloud_catalogue(store::ObjectStore& store) {
  store::PrefixedStore base = base_of(store);
  const catalog::BucketRecords records(base);
  return records.read(records.ids());
}

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

std::optional<std::string> cloud_keep(store::ObjectStore& store, const BackupId& id) {
  auto text = store::read_text(store, annotation_key(id, kKeep));
  if (!text) return std::nullopt;
  return catalog::annotation_value(std::move(*text));
}

std::map<BackupId, std::string> cloud_keeps(store::ObjectStore& store) {
  store::PrefixedStore base = base_of(store);
  return catalog::BucketRecords(base).annotations(kKeep);
}

void set_cloud_keep(store::ObjectStore& store, const BackupId& id, const std::string& target) {
  store::write_text(store, annotation_key(id, kKeep), target);
}

void release_cloud_keep(store::ObjectStore& store, const BackupId& id) {
  store.remove(annotation_key(id, kKeep));
}

}  // namespace barman::engine
