#include "engine/wal/known_wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;

class KnownWal : public testing::Test {
 protected:
  KnownWal() {
    home.server = "main";
    home.locks = folder.path();
    home.xlogdb = folder / "main-xlog.db";
    home.wal_bucket = std::make_shared<BucketHome>("s3://bucket", "main",
                                                   [this] { return std::shared_ptr<store::Bucket>(store); });
    os::write_file(home.xlogdb, "000000010000000000000001\t16\t1.0\tNone\tNone\n");
    store::write_text(*store, "wals/0000000100000000/000000010000000000000002.gz", "wal");
  }

  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const catalog::WalEntry& entry : known_wal(home, {}, events)) found.push_back(entry.name);
    return found;
  }

  os::TestFolder folder;
  std::shared_ptr<store::MemoryStore> store = std::make_shared<store::MemoryStore>();
  Home home;
  RecordedEvents events;
};

TEST_F(KnownWal, IsWhatTheIndexSays) { EXPECT_THAT(names(), ElementsAre("000000010000000000000001")); }

TEST_F(KnownWal, IsWhatIsThereWhereOthersFillTheBucket) {
  home.is_active = false;
  EXPECT_THAT(names(), ElementsAre("000000010000000000000002"));
}

}  // namespace
}  // namespace barman::engine
