#include "engine/cloud/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/server/cloud_keys.h"
#include "os/parallel.h"

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;

constexpr unsigned kAtATime = 8;
constexpr std::string_view kKeep = "keep";

std::vector<BackupId> backup_ids(store::ObjectStore& store) {
  std::vector<BackupId> ids;
  for (std::string name : store.children(kCloudBackups)) {
    if (!name.ends_with('/')) continue;
    name.pop_back();
    if (catalog::is_backup_id(name)) ids.push_back({std::move(name)});
  }
  return ids;
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::optional<BackupInfo> read_cloud_backup(store::ObjectStore& store, const BackupId& id) {
  const auto text = store::read_text(store, backup_info_key(id));
  if (!text) return std::nullopt;
  return during(backup_info_key(id), [&] { return catalog::parse_backup_info(id, *text); });
}

catalog::Listing read_cloud_catalogue(store::ObjectStore& store, const std::stop_token& stop) {
  const std::vector<BackupId> ids = backup_ids(store);
  std::vector<std::optional<BackupInfo>> found(ids.size());
  std::vector<std::string> reasons(ids.size());
  os::in_parallel(ids.size(), std::min<unsigned>(kAtATime, static_cast<unsigned>(ids.size())), stop,
                  [&](std::size_t index) {
                    try {
                      found[index] = read_cloud_backup(store, ids[index]);
                    } catch (const Error& error) {
                      if (error.kind() != ErrorKind::kCorrupt) throw;
                      reasons[index] = error.what();
                    }
                  });
  catalog::Listing listing;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (found[i]) listing.backups.push_back(std::move(*found[i]));
    if (!reasons[i].empty()) listing.damaged.push_back({backup_info_key(ids[i]), reasons[i]});
  }
  return listing;
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
  return without_line_end(std::move(*text));
}

std::map<BackupId, std::string> cloud_keeps(store::ObjectStore& store, const std::vector<BackupInfo>& backups,
                                            const std::stop_token& stop) {
  std::vector<std::optional<std::string>> found(backups.size());
  os::in_parallel(backups.size(), std::min<unsigned>(kAtATime, static_cast<unsigned>(backups.size())), stop,
                  [&](std::size_t index) { found[index] = cloud_keep(store, backups[index].id); });
  std::map<BackupId, std::string> keeps;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    if (found[i]) keeps[backups[i].id] = *found[i];
  }
  return keeps;
}

void set_cloud_keep(store::ObjectStore& store, const BackupId& id, const std::string& target) {
  store::write_text(store, annotation_key(id, kKeep), target);
}

void release_cloud_keep(store::ObjectStore& store, const BackupId& id) {
  store.remove(annotation_key(id, kKeep));
}

}  // namespace barman::engine
