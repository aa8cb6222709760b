#include "engine/server/withdraw_backup.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/server/cloud_keys.h"
#include "store/bucket.h"

namespace barman::engine {

void withdraw_backup(store::Bucket& bucket, const catalog::BackupId& id) {
  const std::string folder = backup_folder(id);
  std::vector<std::string> keys;
  bucket.list(folder, [&](const store::ObjectInfo& object) {
    if (object.key != backup_info_key(id)) keys.push_back(object.key);
    return true;
  });
  const auto left = bucket.remove_all(keys);
  for (const store::UnfinishedUpload& upload : bucket.unfinished_uploads(folder)) bucket.withdraw(upload);
  if (left.empty()) return;
  throw Error(ErrorKind::kFailed,
              fmt::format("{} and {} more objects of backup {} cannot be removed from the bucket: {}",
                          left.front().key, left.size() - 1, id.text, left.front().reason));
}

}  // namespace barman::engine
