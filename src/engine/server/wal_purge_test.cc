#include "engine/server/wal_purge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/recorded_events.h"
#include "engine/wal/scratch_home.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;

class WalPurgeTest : public testing::Test {
 protected:
  void archive(const std::string& name) {
    ScratchHome::write(scratch_.home.archived(*pgformat::parse_wal_name(name), name), "x");
  }
  [[nodiscard]] bool is_archived(const std::string& name) const {
    return std::filesystem::exists(scratch_.home.archived(*pgformat::parse_wal_name(name), name));
  }
  [[nodiscard]] std::vector<std::string> index() {
    std::vector<std::string> names;
    for (const auto& entry : XlogIndex(scratch_.home, events_).read()) names.push_back(entry.name);
    return names;
  }

  ScratchHome scratch_;
  RecordedEvents events_;
};

TEST_F(WalPurgeTest, FilesAndLinesGoTogetherAndEmptyFoldersToo) {
  for (const char* name :
       {"0000000100000000000000FF", "000000010000000100000001", "000000010000000100000001.00000028.backup",
        "000000010000000100000002", "00000002.history"}) {
    archive(name);
  }
  XlogIndex(scratch_.home, events_).rebuild();
  EXPECT_THAT(purge_wal(scratch_.home, {.before = "000000010000000100000002"}, events_),
              ElementsAre("0000000100000000000000FF", "000000010000000100000001",
                          "000000010000000100000001.00000028.backup"));
  EXPECT_THAT(index(), ElementsAre("000000010000000100000002", "00000002.history"));
  EXPECT_FALSE(is_archived("000000010000000100000001"));
  EXPECT_TRUE(is_archived("000000010000000100000002"));
  EXPECT_TRUE(is_archived("00000002.history"));
  EXPECT_FALSE(std::filesystem::exists(scratch_.home.wals / "0000000100000000"));
}

TEST_F(WalPurgeTest, FilesThatAnEarlierAttemptRemovedAreNoFailure) {
  archive("000000010000000000000001");
  archive("000000010000000000000002");
  XlogIndex(scratch_.home, events_).rebuild();
  std::filesystem::remove(scratch_.home.wals / "0000000100000000" / "000000010000000000000001");
  EXPECT_THAT(purge_wal(scratch_.home, {.before = "000000010000000000000002"}, events_),
              ElementsAre("000000010000000000000001"));
  EXPECT_THAT(index(), ElementsAre("000000010000000000000002"));
}

TEST_F(WalPurgeTest, NothingToRemoveLeavesTheIndexAlone) {
  archive("000000010000000000000002");
  XlogIndex(scratch_.home, events_).rebuild();
  const auto before = std::filesystem::last_write_time(scratch_.home.xlogdb);
  EXPECT_TRUE(purge_wal(scratch_.home, {.before = "000000010000000000000001"}, events_).empty());
  EXPECT_EQ(std::filesystem::last_write_time(scratch_.home.xlogdb), before);
}

}  // namespace
}  // namespace barman::engine
