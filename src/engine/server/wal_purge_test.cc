#include "engine/server/wal_purge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/wal/scratch_home.h"
#include "engine/wal/xlog_index.h"
#include "store/watched_bucket.h"

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
  EXPECT_THAT(purge_wal(scratch_.home, {.before = "000000010000000100000002"}, {}, events_),
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
  EXPECT_THAT(purge_wal(scratch_.home, {.before = "000000010000000000000002"}, {}, events_),
              ElementsAre("000000010000000000000001"));
  EXPECT_THAT(index(), ElementsAre("000000010000000000000002"));
}

TEST_F(WalPurgeTest, NothingToRemoveLeavesTheIndexAlone) {
  archive("000000010000000000000002");
  XlogIndex(scratch_.home, events_).rebuild();
  const auto before = std::filesystem::last_write_time(scratch_.home.xlogdb);
  EXPECT_TRUE(purge_wal(scratch_.home, {.before = "000000010000000000000001"}, {}, events_).empty());
  EXPECT_EQ(std::filesystem::last_write_time(scratch_.home.xlogdb), before);
}

// A home whose WAL is in a bucket: five segments and a history.
class BucketPurgeTest : public testing::Test {
 protected:
  BucketPurgeTest() {
    home().wals.clear();
    home().xlogdb = home().meta / "main-xlog.db";
    home().wal_bucket = std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket_; });
    for (const char* name :
         {"000000010000000000000001", "000000010000000000000002", "000000010000000000000003",
          "000000010000000000000004", "000000010000000000000005", "00000002.history"}) {
      store::write_text(bucket_->objects,
                        wal_key(*pgformat::parse_wal_name(name), name, codec::Compression::kGzip), "x");
    }
  }

  Home& home() { return scratch_.home; }
  std::vector<std::string> purge(const std::string& before, RemovalRules rules = {}) {
    return purge_wal(home(), {.before = before}, rules, events_);
  }
  // The segments that are still in the bucket: their last digits.
  std::string present() {
    std::string digits;
    for (const std::string& key : bucket_->keys("wals/00000001")) digits += key[key.size() - 4];
    return digits;
  }
  [[nodiscard]] std::vector<std::string> index() {
    std::vector<std::string> names;
    for (const auto& entry : XlogIndex(home(), events_).read()) names.push_back(entry.name);
    return names;
  }

  std::shared_ptr<store::WatchedBucket> bucket_ = std::make_shared<store::WatchedBucket>();
  ScratchHome scratch_;
  RecordedEvents events_;
};

TEST_F(BucketPurgeTest, ARequestNamesAtMostAsManyObjectsAsTheUserSays) {
  XlogIndex(home(), events_).rebuild();
  bucket_->forget_requests();
  EXPECT_EQ(purge("000000010000000000000004", {.batch = 2}).size(), 3U);
  EXPECT_EQ(present(), "45");
  EXPECT_THAT(bucket_->requests(), ElementsAre(testing::StartsWith("LIST"), "DELETE 2", "DELETE 1"));
  EXPECT_THAT(events_.warnings, testing::IsEmpty());
}

TEST_F(BucketPurgeTest, ALostIndexIsMadeAnewFromTheBucketAndThatIsSaid) {
  for (const bool is_empty : {false, true}) {
    if (is_empty) {
      ScratchHome::write(home().xlogdb, "");
    }
    EXPECT_THAT(purge(is_empty ? "000000010000000000000005" : "000000010000000000000003"),
                testing::SizeIs(2));
    EXPECT_EQ(present(), is_empty ? "5" : "345");
    ASSERT_EQ(events_.warnings.size(), is_empty ? 2U : 1U);
    EXPECT_THAT(
        events_.warnings.back(),
        testing::AllOf(testing::HasSubstr("main-xlog.db was " + std::string(is_empty ? "empty" : "missing")),
                       testing::HasSubstr("made anew from a listing of s3://bucket/path"),
                       testing::HasSubstr(is_empty ? "(4 files)" : "(6 files)")));
  }
  EXPECT_THAT(index(), ElementsAre("000000010000000000000005", "00000002.history"));
}

TEST_F(BucketPurgeTest, AnArchiveWithoutWalHasAnEmptyIndexAndNothingIsSaid) {
  for (const std::string& key : bucket_->keys()) bucket_->objects.remove(key);
  ScratchHome::write(home().xlogdb, "");
  EXPECT_TRUE(purge("000000010000000000000005").empty());
  EXPECT_THAT(events_.warnings, testing::IsEmpty());
}

TEST_F(BucketPurgeTest, WhatIsArchivedAfterAnIndexWasLostDoesNotHideTheRest) {
  ScratchHome::write(home().xlogdb, "");
  const catalog::WalEntry fresh{.name = "000000010000000000000006", .size = 1, .time = 1};
  store::write_text(bucket_->objects, wal_key(*pgformat::parse_wal_name(fresh.name), fresh.name, {}), "x");
  XlogIndex(home(), events_).append({&fresh, 1});
  EXPECT_EQ(index().size(), 7U);
  EXPECT_THAT(events_.warnings, ElementsAre(testing::HasSubstr("(7 files)")));
}

TEST_F(BucketPurgeTest, AListingThatFailsRemovesNothing) {
  bucket_->before = [](const std::string& request) {
    if (request.starts_with("LIST")) throw Error(ErrorKind::kTransient, "the connection is gone");
  };
  EXPECT_THROW(purge("000000010000000000000005"), Error);
  bucket_->before = nullptr;
  EXPECT_EQ(present(), "12345");
  EXPECT_EQ(purge("000000010000000000000005").size(), 4U);
}

}  // namespace
}  // namespace barman::engine
