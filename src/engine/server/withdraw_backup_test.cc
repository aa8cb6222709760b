#include "engine/server/withdraw_backup.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

TEST(WithdrawBackup, TakesAllButTheRecordOfThatBackup) {
  store::MemoryStore bucket;
  const char* kept[] = {"base/20261122T133001/backup.info", "base/20261122T133002/data.tar",
                        "wals/0000000100000000/000000010000000000000001"};
  for (const char* key : kept) store::write_text(bucket, key, "x");
  for (const char* key : {"data.tar", "data_0001.tar", "16384.tar.zst.gpg", "backup_manifest"}) {
    store::write_text(bucket, std::string("base/20261122T133001/") + key, "x");
  }
  withdraw_backup(bucket, {"20261122T133001"});
  std::size_t count = 0;
  bucket.list("", [&](const store::ObjectInfo&) { return ++count != 0; });
  EXPECT_EQ(count, std::size(kept));
  for (const char* key : kept) EXPECT_TRUE(bucket.stat(key)) << key;
}

}  // namespace
}  // namespace barman::engine
