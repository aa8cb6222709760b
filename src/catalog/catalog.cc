#include "catalog/catalog.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "catalog/file_names.h"

namespace barman::catalog {

namespace {

// Reads a record into the listing, or says there why it cannot be read.
void add_record(store::ObjectStore& store, const std::string& name, const std::string& id, Listing& into) {
  if (!is_backup_id(id)) {
    into.damaged.push_back({.name = name, .reason = "its name does not begin with a backup id"});
    return;
  }
  try {
    const auto text = store::read_text(store, name);
    if (text) into.backups.push_back(parse_backup_info(BackupId{id}, *text));
  } catch (const Error& e) {
    into.damaged.push_back({.name = name, .reason = e.what()});
  }
}

template <class Matches>
std::optional<BackupInfo> newest(const std::vector<BackupInfo>& backups, const Matches& matches) {
  const auto found = std::find_if(backups.rbegin(), backups.rend(), matches);
  return found == backups.rend() ? std::nullopt : std::optional(*found);
}

template <class Matches>
std::optional<BackupInfo> oldest(const std::vector<BackupInfo>& backups, const Matches& matches) {
  const auto found = std::find_if(backups.begin(), backups.end(), matches);
  return found == backups.end() ? std::nullopt : std::optional(*found);
}

bool is_available_full(const BackupInfo& info) {
  const BackupType type = backup_type(info);
  return is_available(info) && type != BackupType::kIncremental && type != BackupType::kSnapshot;
}

std::optional<BackupInfo> named(const std::vector<BackupInfo>& backups, std::string_view name) {
  std::vector<BackupInfo> found;
  std::ranges::copy_if(backups, std::back_inserter(found), [&](const BackupInfo& info) {
    return is_available(info) && info.backup_name == name;
  });
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return std::move(found.front());
  std::string ids;
  for (const BackupInfo& info : found) ids += " " + info.id.text;
  throw Error(ErrorKind::kUsage,
              "several backups are named '" + std::string(name) + "'; use one of these ids instead:" + ids);
}

}  // namespace

Listing Catalog::list() const {
  Listing listing;
  std::set<std::string, std::less<>> recorded;
  for (const std::string& name : meta_.children("")) {
    const auto id = id_in_record_name(name);
    if (!id) continue;
    recorded.insert(*id);
    add_record(meta_, name, *id, listing);
  }
  for (const std::string& name : base_.children("")) {
    if (!name.ends_with('/')) continue;
    const std::string id = name.substr(0, name.size() - 1);
    if (is_backup_id(id) && !recorded.contains(id)) {
      add_record(base_, old_backup_info_name(BackupId{id}), id, listing);
    }
  }
  std::ranges::sort(listing.backups, {}, &BackupInfo::id);
  return listing;
}

std::optional<BackupInfo> Catalog::find(const BackupId& id) const {
  if (!is_backup_id(id.text)) return std::nullopt;
  auto text = store::read_text(meta_, backup_info_name(id));
  if (!text) text = store::read_text(base_, old_backup_info_name(id));
  return text ? std::optional(parse_backup_info(id, *text)) : std::nullopt;
}

void Catalog::save(const BackupInfo& info) {
  const std::string text = format_backup_info(info);
  store::write_text(meta_, backup_info_name(info.id), text);
  if (base_is_ != BaseIs::kOldPlace) store::write_text(base_, old_backup_info_name(info.id), text);
}

void Catalog::forget(const BackupId& id) {
  // The annotations last: a deletion that is cut short stays marked as one while there is a record.
  base_.remove(old_backup_info_name(id));
  meta_.remove(backup_info_name(id));
  for (const std::string_view key : {kKeep, kDeleteThis}) remove_annotation(id, key);
}

std::optional<std::string> Catalog::annotation(const BackupId& id, std::string_view key) const {
  auto text = store::read_text(meta_, annotation_name(id, key));
  if (!text) text = store::read_text(base_, old_annotation_name(id, key));
  if (text) text->erase(text->find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::map<BackupId, std::string> Catalog::annotations(std::string_view key) const {
  std::map<BackupId, std::string> found;
  std::vector<BackupId> candidates;
  for (const std::string& name : meta_.children("")) {
    if (auto id = id_in_annotation_name(name, key)) candidates.push_back(std::move(*id));
  }
  for (const std::string& name : base_.children("")) {
    BackupId id{name.substr(0, name.size() - 1)};
    if (name.ends_with('/') && is_backup_id(id.text)) candidates.push_back(std::move(id));
  }
  for (const BackupId& id : candidates) {
    if (auto text = annotation(id, key)) found.emplace(id, std::move(*text));
  }
  return found;
}

void Catalog::annotate(const BackupId& id, std::string_view key, std::string_view value) {
  store::write_text(meta_, annotation_name(id, key), value);
}

void Catalog::remove_annotation(const BackupId& id, std::string_view key) {
  base_.remove(old_annotation_name(id, key));
  meta_.remove(annotation_name(id, key));
}

std::optional<BackupInfo> resolve(const std::vector<BackupInfo>& backups, std::string_view word) {
  if (word == "latest" || word == "last") return newest(backups, is_available);
  if (word == "oldest" || word == "first") return oldest(backups, is_available);
  if (word == "latest-full" || word == "last-full") return newest(backups, is_available_full);
  if (word == "last-failed") {
    return newest(backups, [](const BackupInfo& info) { return info.status == BackupStatus::kFailed; });
  }
  if (!is_backup_id(word)) return named(backups, word);
  return oldest(backups, [&](const BackupInfo& info) { return info.id.text == word; });
}

std::optional<BackupInfo> previous_of(const std::vector<BackupInfo>& backups, const BackupId& id) {
  return newest(backups, [&](const BackupInfo& info) { return is_available(info) && info.id < id; });
}

std::optional<BackupInfo> next_of(const std::vector<BackupInfo>& backups, const BackupId& id) {
  return oldest(backups, [&](const BackupInfo& info) { return is_available(info) && info.id > id; });
}

}  // namespace barman::catalog
