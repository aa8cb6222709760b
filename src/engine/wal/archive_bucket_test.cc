// archive_wal() and archive_directly() into a bucket, and what is left when it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/expect_failure.h"
#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/wal_purge.h"
#include "engine/wal/archive.h"
#include "engine/wal/archive_directly.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"
#include "os/process.h"
#include "store/watched_bucket.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ArchiveIntoABucket : public testing::Test {
 protected:
  static constexpr const char* kOne = "000000010000000000000001";
  static constexpr const char* kTwo = "000000010000000000000002";

  ArchiveIntoABucket() {
    scratch_.home.wals.clear();
    scratch_.home.xlogdb = scratch_.home.meta / "main-xlog.db";
    scratch_.home.wal_bucket =
        std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket_; });
  }

  void arrive(const char* name, char fill = 'x') {
    ScratchHome::write(scratch_.home.incoming / name, sample_segment(name, kSampleSystem, fill));
  }
  ArchiveResult archive() {
    return archive_wal(scratch_.home, {}, ArchiveTalk::kAlways, clock_, events_, {});
  }
  std::vector<std::string> indexed() {
    std::vector<std::string> names;
    for (const auto& entry : XlogIndex(scratch_.home, events_).read()) names.push_back(entry.name);
    return names;
  }
  static std::size_t files_in(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  static std::string key(const std::string& name) { return "wals/0000000100000000/" + name; }

  // A file of pg_wal, ready to be archived.
  fs::path in_pg_wal(const char* name, char fill = 'x') {
    const fs::path path = scratch_.home.backup_directory / "pg_wal" / name;
    ScratchHome::write(path, sample_segment(name, kSampleSystem, fill));
    ScratchHome::write(path.parent_path() / "archive_status" / (std::string(name) + ".ready"), "");
    return path;
  }
  void archive_file(const fs::path& path, unsigned parallel = 0) {
    archive_directly(
        {.home = scratch_.home, .format = format_, .parallel = parallel, .clock = clock_, .events = events_},
        path, {});
  }

  ScratchHome scratch_;
  SystemClock clock_;
  RecordedEvents events_;
  WalFormat format_;
  std::shared_ptr<store::WatchedBucket> bucket_ = std::make_shared<store::WatchedBucket>();
};

TEST_F(ArchiveIntoABucket, StoresIndexesAndRemoves) {
  arrive(kOne);
  arrive(kTwo);
  EXPECT_THAT(archive().archived, ElementsAre(kOne, kTwo));
  EXPECT_THAT(bucket_->keys(), ElementsAre(key(kOne), key(kTwo)));
  EXPECT_THAT(indexed(), ElementsAre(kOne, kTwo));
  EXPECT_EQ(files_in(scratch_.home.incoming), 0U);
}

TEST_F(ArchiveIntoABucket, TheSameAgainIsRemovedAndOtherWalIsPutAside) {
  arrive(kOne);
  archive();
  arrive(kOne);
  EXPECT_THAT(archive().duplicates, ElementsAre(kOne));
  arrive(kOne, 'y');
  EXPECT_THAT(archive().conflicts, ElementsAre(kOne));
  EXPECT_EQ(files_in(scratch_.home.errors), 1U);
  EXPECT_EQ(bucket_->text(key(kOne)), sample_segment(kOne));
  EXPECT_THAT(indexed(), ElementsAre(kOne));
}

// Whichever request fails, and if the store stays away: nothing is lost, and the next run finishes the work.
TEST_F(ArchiveIntoABucket, AFailureAtAnyRequestLosesNothing) {
  for (const bool stays_away : {false, true}) {
    bool failed = true;
    for (int n = 0; failed; ++n) {
      bucket_ = std::make_shared<store::WatchedBucket>();
      scratch_.home.wal_bucket =
          std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket_; });
      fs::remove(scratch_.home.xlogdb);
      arrive(kOne);
      arrive(kTwo);
      bucket_->fail_at = n;
      bucket_->stays_away = stays_away;
      failed = false;
      try {
        archive();
      } catch (const Error& error) {
        failed = true;
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
      }
      bucket_->fail_at = -1;
      for (const char* name : {kOne, kTwo}) {
        EXPECT_TRUE(fs::exists(scratch_.home.incoming / name) ||
                    bucket_->text(key(name)) == sample_segment(name));
      }
      archive();
      EXPECT_THAT(bucket_->keys(), ElementsAre(key(kOne), key(kTwo)));
      EXPECT_THAT(indexed(), testing::UnorderedElementsAre(kOne, kTwo)) << n;
      EXPECT_EQ(files_in(scratch_.home.incoming), 0U);
    }
  }
}

TEST_F(ArchiveIntoABucket, WhatWasStoredBeforeACrashGetsItsLine) {
  arrive(kOne);
  archive();
  ScratchHome::write(scratch_.home.xlogdb, "");
  arrive(kOne);
  EXPECT_THAT(archive().duplicates, ElementsAre(kOne));
  EXPECT_THAT(indexed(), ElementsAre(kOne));
}

TEST_F(ArchiveIntoABucket, StraightFromPgWalTheFileStays) {
  const fs::path path = in_pg_wal(kOne);
  archive_file(path);
  archive_file(path);
  EXPECT_THAT(indexed(), ElementsAre(kOne));
  EXPECT_TRUE(fs::exists(path));
  in_pg_wal(kOne, 'y');
  archive_file(path);
  EXPECT_EQ(files_in(scratch_.home.errors), 1U);
  EXPECT_THAT(events_.warnings, SizeIs(1));
  EXPECT_EQ(bucket_->text(key(kOne)), sample_segment(kOne));
}

TEST_F(ArchiveIntoABucket, WhatIsReadyIsStoredAheadAndNotAskedForAgain) {
  const fs::path one = in_pg_wal(kOne);
  const fs::path two = in_pg_wal(kTwo);
  archive_file(one, 4);
  EXPECT_THAT(indexed(), ElementsAre(kOne, kTwo));
  bucket_->fail_at = bucket_->steps;
  archive_file(two, 4);  // asks for nothing
  fs::last_write_time(two, fs::last_write_time(two) + std::chrono::seconds(1));
  failure(ErrorKind::kTransient, [&] { archive_file(two, 4); });
}

// Whichever request fails while several files are stored ahead: what is said to be stored is, then and later.
TEST_F(ArchiveIntoABucket, NothingIsSaidToBeStoredAheadThatIsNot) {
  constexpr const char* kThree = "000000010000000000000003";
  const auto is_stored = [this](const char* name) {
    return bucket_->text(key(name)) == sample_segment(name);
  };
  const auto says_it_stored = [this](const char* name) {
    try {
      archive_file(in_pg_wal(name), 4);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  for (const bool stays_away : {false, true}) {
    for (int n = 0; n < 12; ++n) {
      bucket_ = std::make_shared<store::WatchedBucket>();
      scratch_.home.wal_bucket =
          std::make_shared<BucketHome>("s3://bucket/path", "main", [this] { return bucket_; });
      fs::remove_all(scratch_.home.meta);
      fs::create_directories(scratch_.home.meta);
      for (const char* name : {kOne, kTwo, kThree}) in_pg_wal(name);
      bucket_->fail_at = n;
      bucket_->stays_away = stays_away;
      EXPECT_TRUE(!says_it_stored(kOne) || is_stored(kOne)) << n;
      bucket_->fail_at = -1;
      for (const std::string& name : indexed()) EXPECT_TRUE(is_stored(name.c_str())) << n << " " << name;
      bucket_->fail_at = 0;
      bucket_->stays_away = true;
      for (const char* name : {kTwo, kThree}) EXPECT_TRUE(!says_it_stored(name) || is_stored(name)) << n;
      bucket_->fail_at = -1;
      for (const char* name : {kOne, kTwo, kThree}) EXPECT_TRUE(says_it_stored(name) && is_stored(name)) << n;
      EXPECT_THAT(indexed(), testing::UnorderedElementsAre(kOne, kTwo, kThree)) << n;
    }
  }
}

TEST_F(ArchiveIntoABucket, WhatWasStoredCompressedIsIndexedSoAndRemoved) {
  os::LocalRunner runner;
  format_ = WalFormat({.compression = "gzip"}, runner, nullptr);
  archive_file(in_pg_wal(kOne));
  archive_file(in_pg_wal(kTwo), 4);
  EXPECT_THAT(bucket_->keys(), ElementsAre(key(kOne) + ".gz", key(kTwo) + ".gz"));
  const auto lines = XlogIndex(scratch_.home, events_).read();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].compression, "gzip");
  EXPECT_EQ(lines[0].size, bucket_->text(key(kOne) + ".gz").size());
  EXPECT_THAT(purge_wal(scratch_.home, {.before = kTwo}, {}, events_), ElementsAre(kOne));
  EXPECT_THAT(bucket_->keys(), ElementsAre(key(kTwo) + ".gz"));
}

TEST_F(ArchiveIntoABucket, AnotherClustersSegmentIsRefused) {
  ScratchHome::write(scratch_.home.identity, R"({"systemid": "1", "version": "15"})");
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { archive_file(in_pg_wal(kOne)); }),
              HasSubstr("this server is 1"));
  EXPECT_THAT(bucket_->keys(), IsEmpty());
}

TEST_F(ArchiveIntoABucket, WhenTheStoreIsAwayNothingIsSaidToBeStored) {
  bucket_->fail_at = 0;
  bucket_->stays_away = true;
  failure(ErrorKind::kTransient, [&] { archive_file(in_pg_wal(kOne)); });
  EXPECT_FALSE(fs::exists(scratch_.home.xlogdb));
}

}  // namespace
}  // namespace barman::engine
