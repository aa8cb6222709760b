#include "catalog/bucket_records.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "catalog/file_names.h"
#include "store/read_texts.h"

namespace barman::catalog {
namespace {

// A record has some kilobytes. What is larger is none, and not worth the memory.
constexpr std::uint64_t kLargestRecord = 16ULL << 20U;

// What the archive of the data directory is called, compressed and encrypted or not.
constexpr std::string_view kData = "/data.tar";

}  // namespace

BucketRecords::BucketRecords(store::ObjectStore& base, const std::string& prefix) : base_(base) {
  base.list(prefix, [this](const store::ObjectInfo& object) {
    const auto slash = object.key.find('/');
    const BackupId id{object.key.substr(0, slash)};
    if (slash == std::string::npos || !is_backup_id(id.text)) return true;
    if (object.key == old_backup_info_name(id)) {
      records_.emplace(id, object.size);
    } else if (object.key.compare(slash, kData.size(), kData) == 0) {
      with_data_.insert(id);
    } else if (const auto key = key_in_old_annotation_name(object.key)) {
      annotated_[*key].push_back(id);
    }
    return true;
  });
}

std::vector<BackupId> BucketRecords::ids() const {
  std::vector<BackupId> ids;
  std::ranges::transform(records_, std::back_inserter(ids), [](const auto& record) { return record.first; });
  return ids;
}

bool BucketRecords::has_data(const BackupInfo& info) const {
  return backup_type(info) == BackupType::kSnapshot || with_data_.contains(info.id);
}

Listing BucketRecords::read(const std::vector<BackupId>& ids) const {
  Listing listing;
  std::vector<BackupId> wanted;
  std::vector<std::string> names;
  for (const BackupId& id : ids) {
    const auto record = records_.find(id);
    if (record == records_.end()) continue;
    if (record->second > kLargestRecord) {
      listing.damaged.push_back({old_backup_info_name(id), "it is too large for a record"});
      continue;
    }
    wanted.push_back(id);
    names.push_back(old_backup_info_name(id));
  }
  const std::vector<store::ReadText> texts = store::read_texts(base_, names);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].text) add_record(wanted[i], names[i], *texts[i].text, listing);
    if (!texts[i].error.empty()) listing.damaged.push_back({names[i], texts[i].error});
  }
  for (BackupInfo& info : listing.backups) {
    if (!is_available(info) || has_data(info)) continue;
    info.status = BackupStatus::kFailed;
    info.error = "its data is not in the bucket: its deletion was begun and is not finished; delete it again";
  }
  return listing;
}

std::map<BackupId, std::string> BucketRecords::annotations(std::string_view key) const {
  const auto annotated = annotated_.find(key);
  if (annotated == annotated_.end()) return {};
  const std::vector<BackupId>& ids = annotated->second;
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (const BackupId& id : ids) names.push_back(old_annotation_name(id, key));
  const std::vector<store::ReadText> texts = store::read_texts(base_, names);
  std::map<BackupId, std::string> found;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].error.empty()) throw Error(ErrorKind::kFailed, texts[i].error);
    if (texts[i].text) found.emplace(ids[i], annotation_value(*texts[i].text));
  }
  return found;
}

std::string annotation_value(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace barman::catalog
