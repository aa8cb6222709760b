#include "catalog/catalog.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "catalog/bucket_records.h"
#include "catalog/file_names.h"

namespace barman::catalog {

namespace {

constexpr std::string_view kReadFromBucket =
    "records of backups are read from the bucket: this host has lost its own, or never had them";

void add_named(store::ObjectStore& store, const std::string& name, const std::string& id, Listing& into) {
  if (!is_backup_id(id)) {
    into.damaged.push_back({.name = name, .reason = "its name does not begin with a backup id"});
    return;
  }
  if (const auto text = store::read_text(store, name)) add_record(BackupId{id}, name, *text, into);
}

std::string not_in_bucket(const BackupId& id) {
  return "backup " + id.text + " is left out: this host has a record of it, but the bucket has none";
}

void mark_doomed(BackupInfo& info) {
  info.status = BackupStatus::kFailed;
  info.error = "its deletion was begun and is not finished; delete it again";
}

bool is_finished(const BackupInfo& info) {
  return is_available(info) || info.status == BackupStatus::kFailed;
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

Catalog::Local Catalog::look() const {
  Local local;
  bool is_adopting = false;
  for (const std::string& name : meta_.children("")) {
    if (const auto id = id_in_record_name(name)) {
      local.records.push_back(name);
      if (is_backup_id(*id)) local.ids.insert(BackupId{*id});
    } else if (auto doomed = id_in_annotation_name(name, kDeleteThis)) {
      local.doomed.insert(std::move(*doomed));
    } else {
      is_adopting = is_adopting || name == kAdopting;
    }
  }
  local.is_whole = !local.ids.empty() && !is_adopting;
  return local;
}

void Catalog::add_local(const Local& local, Listing& listing) const {
  for (const std::string& name : local.records) {
    add_named(meta_, name, id_in_record_name(name).value_or(""), listing);
  }
}

void Catalog::add_old_place(const Local& local, Listing& listing) const {
  for (const std::string& name : base_.children("")) {
    if (!name.ends_with('/')) continue;
    const BackupId id{name.substr(0, name.size() - 1)};
    if (is_backup_id(id.text) && !local.ids.contains(id)) {
      add_named(base_, old_backup_info_name(id), id.text, listing);
    }
  }
}

// Only those of which there is no record here, unless the bucket is the origin.
void Catalog::add_bucket(const Local& local, Listing& listing) const {
  const BucketRecords bucket(base_);
  std::vector<BackupId> ids = bucket.ids();
  if (base_is_ == BaseIs::kOrigin) {
    for (const BackupId& id : local.ids) {
      if (std::ranges::find(ids, id) == ids.end()) listing.remarks.push_back(not_in_bucket(id));
    }
  } else {
    std::erase_if(ids, [&](const BackupId& id) { return local.ids.contains(id); });
    if (!ids.empty()) listing.remarks.emplace_back(kReadFromBucket);
  }
  Listing found = bucket.read(ids);
  std::ranges::move(found.backups, std::back_inserter(listing.backups));
  std::ranges::move(found.damaged, std::back_inserter(listing.damaged));
}

// A host that has records, or never had any, is not to fail with its bucket.
void Catalog::try_to_add_bucket(const Local& local, Listing& listing) const {
  try {
    add_bucket(local, listing);
  } catch (const Error& error) {
    const bool is_away = error.kind() != ErrorKind::kCancelled && error.kind() != ErrorKind::kUsage;
    if (!is_away) throw;
    listing.damaged.push_back({.name = std::string(kBucketCatalogue), .reason = error.what()});
  }
}

Listing Catalog::list() const {
  const Local local = look();
  Listing listing;
  switch (base_is_) {
    case BaseIs::kOldPlace:
      add_local(local, listing);
      add_old_place(local, listing);
      break;
    case BaseIs::kCopy:
      add_local(local, listing);
      if (!local.is_whole) try_to_add_bucket(local, listing);
      break;
    case BaseIs::kOrigin:
      add_bucket(local, listing);
      break;
  }
  for (BackupInfo& info : listing.backups) {
    if (local.doomed.contains(info.id)) mark_doomed(info);
  }
  std::ranges::sort(listing.backups, {}, &BackupInfo::id);
  return listing;
}

std::optional<BackupInfo> Catalog::find(const BackupId& id) const {
  if (!is_backup_id(id.text)) return std::nullopt;
  std::optional<std::string> text;
  if (base_is_ != BaseIs::kOrigin) text = store::read_text(meta_, backup_info_name(id));
  const bool is_folder = base_is_ == BaseIs::kOldPlace;
  if (!text && is_folder) text = store::read_text(base_, old_backup_info_name(id));
  std::optional<BackupInfo> info;
  if (text) {
    info = parse_backup_info(id, *text);
  } else if (!is_folder) {
    info = find_in_bucket(id);
  }
  if (info && meta_.stat(annotation_name(id, kDeleteThis))) mark_doomed(*info);
  return info;
}

std::optional<BackupInfo> Catalog::find_in_bucket(const BackupId& id) const {
  Listing found = BucketRecords(base_, id).read({id});
  if (!found.damaged.empty()) throw Error(ErrorKind::kCorrupt, found.damaged.front().reason);
  return found.backups.empty() ? std::nullopt : std::optional(std::move(found.backups.front()));
}

// The bucket first: a record in meta is taken for that of a backup of ours.
bool Catalog::add(const BackupInfo& info) {
  if (base_is_ == BaseIs::kOldPlace) {
    save(info);
    return true;
  }
  if (is_copied() && !look().is_whole) adopt();
  std::exception_ptr failure;
  try {
    const auto sink =
        base_.create(old_backup_info_name(info.id), {.must_be_new = true, .same_is_taken = true});
    sink->write(stream::bytes_of(format_backup_info(info)));
    sink->finish();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kRefused) return false;
    if (!is_copied()) throw;
    failure = std::current_exception();
  }
  if (is_copied()) add_to_meta(info, failure);
  return true;
}

// `failure`: why the bucket did not take it, if so.
void Catalog::add_to_meta(const BackupInfo& info, const std::exception_ptr& failure) {
  if (failure) store::write_text(meta_, annotation_name(info.id, kNotCopied), "");
  store::write_text(meta_, backup_info_name(info.id), format_backup_info(info));
  if (failure) tell_or_throw(info.id, failure);
}

void Catalog::tell_or_throw(const BackupId& id, const std::exception_ptr& failure) const {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled || !tell_not_copied_) throw;
    tell_not_copied_(id, error.what());
  }
}

void Catalog::save(const BackupInfo& info) {
  const std::string text = format_backup_info(info);
  if (base_is_ == BaseIs::kOrigin) {
    store::write_text(base_, old_backup_info_name(info.id), text);
    return;
  }
  if (!is_copied()) {
    store::write_text(meta_, backup_info_name(info.id), text);
    return;
  }
  // The first record here would hide those of the bucket.
  if (!look().is_whole) adopt();
  store::write_text(meta_, annotation_name(info.id, kNotCopied), "");
  store::write_text(meta_, backup_info_name(info.id), text);
  try {
    send(info.id, text);
  } catch (const Error&) {
    tell_or_throw(info.id, std::current_exception());
  }
}

void Catalog::send(const BackupId& id, std::string_view text) {
  store::write_text(base_, old_backup_info_name(id), text);
  meta_.remove(annotation_name(id, kNotCopied));
}

void Catalog::forget(const BackupId& id) {
  // The annotations last: a deletion that is cut short stays marked as one while there is a record.
  base_.remove(old_backup_info_name(id));
  for (const std::string_view key : {kKeep, kDeleteThis}) base_.remove(old_annotation_name(id, key));
  meta_.remove(manifest_name(id));
  meta_.remove(backup_info_name(id));
  for (const std::string_view key : {kKeep, kDeleteThis, kNotCopied}) meta_.remove(annotation_name(id, key));
}

std::vector<BackupId> Catalog::not_copied() const {
  std::vector<BackupId> ids;
  if (!is_copied()) return ids;
  for (const std::string& name : meta_.children("")) {
    if (auto id = id_in_annotation_name(name, kNotCopied)) ids.push_back(std::move(*id));
  }
  return ids;
}

void Catalog::copy(const BackupId& id) {
  if (const auto text = store::read_text(meta_, backup_info_name(id))) {
    send(id, *text);
  } else {
    meta_.remove(annotation_name(id, kNotCopied));
  }
}

std::vector<BackupId> Catalog::adopt() {
  if (!is_copied()) return {};
  const Local local = look();
  const BucketRecords bucket(base_);
  std::vector<BackupId> ids = bucket.ids();
  std::erase_if(ids, [&](const BackupId& id) { return local.ids.contains(id); });
  std::map<BackupId, std::string> records;
  for (const BackupInfo& info : bucket.read(ids).backups) {
    // Those under way are somebody's who may yet change them.
    if (is_finished(info)) records.emplace(info.id, format_backup_info(info));
  }
  if (!records.empty()) store::write_text(meta_, kAdopting, "");
  adopt_keeps(bucket, records, local);
  for (const auto& [id, text] : records) store::write_text(meta_, backup_info_name(id), text);
  meta_.remove(kAdopting);
  std::vector<BackupId> adopted;
  adopted.reserve(records.size());
  for (const auto& [id, text] : records) adopted.push_back(id);
  return adopted;
}

// What others keep must not be deleted from here.
void Catalog::adopt_keeps(const BucketRecords& bucket, const std::map<BackupId, std::string>& records,
                          const Local& local) {
  for (const auto& [id, value] : bucket.annotations(kKeep)) {
    const std::string name = annotation_name(id, kKeep);
    const bool is_ours = records.contains(id) || local.ids.contains(id);
    if (is_ours && !meta_.stat(name)) store::write_text(meta_, name, value);
  }
}

bool Catalog::may_be_in_base(const BackupId& id, std::string_view key) const {
  if (base_is_ == BaseIs::kOldPlace) return true;
  if (key != kKeep) return false;
  return base_is_ == BaseIs::kOrigin || !meta_.stat(backup_info_name(id));
}

std::optional<std::string> Catalog::annotation(const BackupId& id, std::string_view key) const {
  std::optional<std::string> text;
  if (base_is_ != BaseIs::kOrigin || key != kKeep) text = store::read_text(meta_, annotation_name(id, key));
  if (!text && may_be_in_base(id, key)) text = store::read_text(base_, old_annotation_name(id, key));
  return text ? std::optional(annotation_value(std::move(*text))) : std::nullopt;
}

std::map<BackupId, std::string> Catalog::annotations(std::string_view key) const {
  std::map<BackupId, std::string> found;
  const bool from_bucket = base_is_ == BaseIs::kOrigin || (is_copied() && !look().is_whole);
  if (from_bucket && key == kKeep) found = BucketRecords(base_).annotations(key);
  if (base_is_ == BaseIs::kOrigin && key == kKeep) return found;
  std::vector<BackupId> candidates;
  for (const std::string& name : meta_.children("")) {
    if (auto id = id_in_annotation_name(name, key)) candidates.push_back(std::move(*id));
  }
  if (base_is_ == BaseIs::kOldPlace) {
    for (const std::string& name : base_.children("")) {
      BackupId id{name.substr(0, name.size() - 1)};
      if (name.ends_with('/') && is_backup_id(id.text)) candidates.push_back(std::move(id));
    }
  }
  for (const BackupId& id : candidates) {
    if (auto text = annotation(id, key)) found.insert_or_assign(id, std::move(*text));
  }
  return found;
}

void Catalog::annotate(const BackupId& id, std::string_view key, std::string_view value) {
  if (base_is_ != BaseIs::kOldPlace && key == kKeep) {
    store::write_text(base_, old_annotation_name(id, key), value);
  }
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
