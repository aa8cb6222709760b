#include "engine/server/bucket_remover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "engine/server/cloud_keys.h"

namespace barman::engine {

RemovalRules removal_rules(const config::Server& server) {
  RemovalRules rules{.check_locks = server.values.flag("aws_check_object_lock")};
  if (const auto batch = server.values.optional_number("cloud_delete_batch_size")) {
    rules.batch = static_cast<std::size_t>(
        std::clamp<std::int64_t>(*batch, 1, std::int64_t{store::Bucket::kLargestBatch}));
  }
  return rules;
}

void BucketRemover::require_unlocked(const std::vector<std::string>& keys) {
  if (!rules_.check_locks) return;
  const Time now = clock_.now();
  for (const std::string& key : keys) {
    if (!bucket_.is_locked(key, now)) continue;
    throw Error(ErrorKind::kRefused,
                fmt::format("{} is locked in the bucket; delete the backup when the lock has ended", key));
  }
}

void BucketRemover::remove(const std::vector<std::string>& keys) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> failed = try_to_remove(keys);
  if (failed.empty()) return;
  const std::size_t count = failed.size();
  failed.resize(std::min(count, kNamed));
  throw Error(ErrorKind::kFailed,
              fmt::format("{} of {} objects could not be removed: {}{}; delete the backup again when that is "
                          "put right",
                          count, keys.size(), fmt::join(failed, "; "), count > kNamed ? "; ..." : ""));
}

std::vector<std::string> BucketRemover::try_to_remove(const std::vector<std::string>& keys) {
  std::vector<std::string> failed;
  if (keys.empty()) return failed;
  for (const store::NotRemoved& one : bucket_.remove_all(keys, rules_.batch)) {
    failed.push_back(fmt::format("{}: {}", one.key, one.reason));
  }
  return failed;
}

void BucketRemover::withdraw_uploads(const catalog::BackupId& id) {
  for (const store::UnfinishedUpload& upload : bucket_.unfinished_uploads(backup_folder(id))) {
    bucket_.withdraw(upload);
  }
}

bool is_first_archive(std::string_view key, const catalog::BackupId& id) {
  const std::string folder = backup_folder(id);
  if (!key.starts_with(folder)) return false;
  const auto name = parse_cloud_archive_name(key.substr(folder.size()));
  return name && name->stem == kDataArchive && name->number == 0;
}

std::vector<std::string> data_objects(store::ObjectStore& bucket, const catalog::BackupId& id) {
  const std::string folder = backup_folder(id);
  std::vector<std::string> keys;
  bucket.list(folder, [&](const store::ObjectInfo& object) {
    const bool is_annotation = object.key.starts_with(annotation_key(id, ""));
    if (object.key != backup_info_key(id) && !is_annotation) keys.push_back(object.key);
    return true;
  });
  std::stable_partition(keys.begin(), keys.end(),
                        [&](const std::string& key) { return is_first_archive(key, id); });
  return keys;
}

}  // namespace barman::engine
