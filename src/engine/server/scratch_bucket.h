// A home whose base backups are in a bucket that is watched: for tests.
#pragma once

#include <memory>
#include <string>

#include "catalog/backup_info.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/wal/scratch_home.h"
#include "store/watched_bucket.h"

namespace barman::engine {

class ScratchBucket {
 public:
  ScratchBucket() {
    home().base.clear();
    home().backup_bucket =
        std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket; });
  }

  Home& home() { return scratch_.home; }

  // A backup as others leave it in the bucket.
  void put(const catalog::BackupInfo& info) {
    put(backup_info_key(info.id), catalog::format_backup_info(info));
    put(backup_folder(info.id) + "data.tar", "data");
    put(backup_folder(info.id) + "data_0001.tar", "more");
    put(backup_folder(info.id) + "16385.tar", "a tablespace");
  }
  void put(const std::string& key, const std::string& text) { store::write_text(bucket->objects, key, text); }

  const std::shared_ptr<store::WatchedBucket> bucket = std::make_shared<store::WatchedBucket>();

 private:
  ScratchHome scratch_;
};

}  // namespace barman::engine
