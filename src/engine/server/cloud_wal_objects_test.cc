#include "engine/server/cloud_wal_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory_store.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;

const std::string kOne = "wals/0000000100000000/000000010000000000000001";
const std::string kTwo = "wals/0000000100000000/000000010000000000000002";
const std::string kNext = "wals/0000000100000001/000000010000000100000000";
const std::string kHistory = "wals/00000002.history";

class CloudWalObjects : public testing::Test {
 protected:
  CloudWalObjects() {
    const std::vector<std::string> keys{kOne + ".gz",
                                        kOne + ".zst.gpg",
                                        kTwo + ".partial",
                                        kNext,
                                        kHistory,
                                        "wals/notes",
                                        "wals/0000000100000000/notes.gz",
                                        "wals/misplaced/000000010000000000000001",
                                        "base/x"};
    for (const std::string& key : keys) {
      store::write_text(store_, key, key);
    }
  }
  std::vector<std::string> listed(const std::string& prefix, std::size_t most = 100) {
    std::vector<std::string> keys;
    list_cloud_wal(store_, prefix, [&](const CloudWal& wal, const store::ObjectInfo& object) {
      EXPECT_EQ(wal.key, object.key);
      EXPECT_EQ(object.size, object.key.size());
      keys.push_back(wal.key);
      return keys.size() < most;
    });
    return keys;
  }

  store::MemoryStore store_;
};

TEST_F(CloudWalObjects, AreVisitedInTheOrderOfTheirKeysAndNothingElseIs) {
  EXPECT_THAT(listed(cloud_wal_folder()),
              ElementsAre(kOne + ".gz", kOne + ".zst.gpg", kTwo + ".partial", kNext, kHistory));
}

TEST_F(CloudWalObjects, OfAFolderOrOfANameAreVisitedAlone) {
  EXPECT_THAT(listed(cloud_wal_folder("0000000100000001")), ElementsAre(kNext));
  EXPECT_THAT(listed(kOne), ElementsAre(kOne + ".gz", kOne + ".zst.gpg"));
}

TEST_F(CloudWalObjects, AreVisitedUntilOneIsEnough) {
  EXPECT_THAT(listed(cloud_wal_folder(), 2), ElementsAre(kOne + ".gz", kOne + ".zst.gpg"));
}

}  // namespace
}  // namespace barman::engine
