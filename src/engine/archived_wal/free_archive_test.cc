#include "engine/archived_wal/free_archive.h"

#include <gtest/gtest.h>

#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "engine/wal/scratch_home.h"
#include "store/watched_bucket.h"

namespace barman::engine {
namespace {

class FreeArchive : public testing::Test {
 protected:
  void index(const std::string& text) { ScratchHome::write(scratch.home.xlogdb, text); }
  std::uint64_t files(std::optional<std::uint64_t> from = std::nullopt) {
    return files_in_the_way(scratch.home, from, events);
  }

  ScratchHome scratch;
  RecordedEvents events;
};

TEST_F(FreeArchive, NothingIsInTheWayWhereNothingIs) {
  EXPECT_EQ(files(), 0U);
  index("");
  EXPECT_EQ(files(), 0U);
}

TEST_F(FreeArchive, EveryLineOfTheIndexCounts) {
  index(
      "000000010000000000000001\t3\t1.0\tNone\tNone\n000000020000000000000001\t3\t1.0\tNone\tNone\n"
      "00000003.history\t3\t1.0\tNone\tNone\n");
  EXPECT_EQ(files(), 3U);
  EXPECT_EQ(files(2), 2U);
  EXPECT_EQ(files(3), 1U);
  EXPECT_EQ(files(4), 0U);
  EXPECT_EQ(files(5000000000), 0U);
}

TEST_F(FreeArchive, WhatAnEmptyIndexDoesNotKnowCountsToo) {
  index("");
  ScratchHome::write(scratch.home.wals / "0000000200000000" / "000000020000000000000001", "x");
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(files(2), 1U);
  EXPECT_EQ(files(3), 0U);
}

class FreeBucket : public FreeArchive {
 protected:
  FreeBucket() {
    scratch.home.wal_bucket =
        std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket; });
  }
  void put(const std::string& name) { store::write_text(bucket->objects, "wals/" + name, "x"); }
  // Both must be of one opinion.
  bool is_free(std::optional<std::uint64_t> from = std::nullopt) {
    const bool answer = is_free_bucket(*bucket, from);
    EXPECT_EQ(files(from) == 0, answer);
    return answer;
  }

  const std::shared_ptr<store::WatchedBucket> bucket = std::make_shared<store::WatchedBucket>();
};

TEST_F(FreeBucket, OnlyWalIsInTheWay) {
  EXPECT_TRUE(is_free());
  put("notes");
  put("0000000100000000/notes");
  EXPECT_TRUE(is_free());
  put("0000000100000000/000000010000000000000001.gz");
  EXPECT_FALSE(is_free());
}

TEST_F(FreeBucket, OnlyWalOfTheTimelineAndLaterOnesIsInTheWay) {
  put("0000000100000000/000000010000000000000001");
  EXPECT_FALSE(is_free(1));
  EXPECT_TRUE(is_free(2));
  put("00000003.history");
  EXPECT_FALSE(is_free(2));
  EXPECT_FALSE(is_free(3));
  EXPECT_TRUE(is_free(4));
}

TEST_F(FreeBucket, OneListingTells) {
  put("0000000100000000/000000010000000000000001");
  put("0000000100000001/000000010000000100000001");
  (void)is_free_bucket(*bucket, 2);
  EXPECT_EQ(bucket->requests().size(), 1U);
}

}  // namespace
}  // namespace barman::engine
