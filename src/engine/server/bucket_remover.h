// Removing what is in a bucket, as the user wants it done.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "config/settings.h"
#include "store/bucket.h"

namespace barman {
class Clock;
}

namespace barman::engine {

struct RemovalRules {
  std::size_t batch = store::Bucket::kLargestBatch;  // objects in one request
  bool check_locks = false;
};
// cloud_delete_batch_size, aws_check_object_lock
RemovalRules removal_rules(const config::Server& server);

class BucketRemover {
 public:
  BucketRemover(store::Bucket& bucket, RemovalRules rules, const Clock& clock)
      : bucket_(bucket), rules_(rules), clock_(clock) {}

  // If the rules say so: throws kRefused, naming the first that is locked.
  void require_unlocked(const std::vector<std::string>& keys);
  // Removes them, or throws kFailed that names those that are still there.
  void remove(const std::vector<std::string>& keys);
  // The same, but those that are still there are returned: a line for each.
  std::vector<std::string> try_to_remove(const std::vector<std::string>& keys);

  // What killed runs left of a backup costs money, and nobody sees it.
  void withdraw_uploads(const catalog::BackupId& id);

 private:
  store::Bucket& bucket_;
  const RemovalRules rules_;
  const Clock& clock_;
};

// Whether it is the object without which a backup is none: see catalog/bucket_records.h.
bool is_first_archive(std::string_view key, const catalog::BackupId& id);

// The objects of a backup but its record and its annotations; that one first.
std::vector<std::string> data_objects(store::ObjectStore& bucket, const catalog::BackupId& id);

}  // namespace barman::engine
