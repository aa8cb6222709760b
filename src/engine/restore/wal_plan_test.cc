#include "engine/restore/wal_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/error.h"
#include "engine/wal/sample_segment.h"
#include "os/durable_file.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// An archive of tiny files, and a backup in segments 2 to 3 of timeline 1.
class PlanWal : public testing::Test {
 protected:
  PlanWal() {
    std::string name = (fs::temp_directory_path() / "wal-plan-XXXXXX").string();
    root_ = mkdtemp(name.data());
    home_.server = "main";
    home_.wals = root_ / "wals";
    home_.streaming = root_ / "streaming";
    info_.id.text = "20260101T000000";
    info_.begin_wal = "000000010000000000000002";
    info_.end_wal = "000000010000000000000003";
    info_.end_xlog = pgformat::Lsn{0x3000100};
    info_.timeline = 1;
    for (const char* wal :
         {"000000010000000000000001", "000000010000000000000002", "000000010000000000000002.00000028.backup",
          "000000010000000000000003", "000000010000000000000004", "000000010000000000000005"}) {
      archive(wal);
    }
  }
  ~PlanWal() override { fs::remove_all(root_); }

  void archive(const std::string& name, const std::string& text = "wal", double time = 100) {
    const fs::path path = home_.archived(*pgformat::parse_wal_name(name), name);
    os::make_directories(path.parent_path());
    os::write_file(path, text);
    index_.push_back({.name = name, .size = text.size(), .time = time});
    std::ranges::sort(index_, {}, &catalog::WalEntry::name);
  }
  void forget(const std::string& name) {
    std::erase_if(index_, [&](const catalog::WalEntry& entry) { return entry.name == name; });
  }
  [[nodiscard]] fs::path stored(const std::string& name) const {
    return home_.archived(*pgformat::parse_wal_name(name), name);
  }

  [[nodiscard]] WalPlan plan(const RecoveryTarget& target = {}, WalWishes wishes = {}) const {
    return plan_wal(home_, info_, target, wishes, index_);
  }
  [[nodiscard]] std::string refusal(const RecoveryTarget& target = {}, WalWishes wishes = {}) const {
    try {
      (void)plan(target, wishes);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  static std::vector<std::string> names(const WalPlan& plan) {
    std::vector<std::string> result;
    for (const WalCopy& copy : plan.files) result.push_back(copy.name);
    return result;
  }
  static RecoveryTarget to_timeline(const char* word) { return {.timeline = word}; }

  fs::path root_;
  Home home_;
  catalog::BackupInfo info_;
  std::vector<catalog::WalEntry> index_;
};

TEST_F(PlanWal, BringsAllFromTheBeginOfTheBackup) {
  const WalPlan all = plan();
  EXPECT_THAT(names(all), ElementsAre("000000010000000000000002", "000000010000000000000002.00000028.backup",
                                      "000000010000000000000003", "000000010000000000000004",
                                      "000000010000000000000005"));
  EXPECT_EQ(all.bytes, 15U);
  EXPECT_FALSE(all.timeline);
}

TEST_F(PlanWal, StopsWhereTheTargetDoes) {
  EXPECT_EQ(names(plan({.immediate = true})).back(), "000000010000000000000003");
  EXPECT_EQ(names(plan({.lsn = pgformat::Lsn{0x4000000}})).back(), "000000010000000000000004");
}

TEST_F(PlanWal, NamesWhatIsMissingInTheMiddle) {
  forget("000000010000000000000004");
  EXPECT_THAT(refusal(), HasSubstr("missing in the archive: 000000010000000000000004."));
  EXPECT_EQ(refusal({.immediate = true}), "");
  EXPECT_EQ(refusal({.lsn = pgformat::Lsn{0x3800000}}), "");
  EXPECT_THAT(refusal({.lsn = pgformat::Lsn{0x5000000}}), HasSubstr("000000010000000000000004"));
  forget("000000010000000000000003");
  EXPECT_THAT(refusal({.immediate = true}), HasSubstr("000000010000000000000003"));
  EXPECT_THAT(refusal(), HasSubstr("000000010000000000000003 to 000000010000000000000004 (2 segments)"));
}

TEST_F(PlanWal, AGapBehindTheTargetTimeIsOnlyAWarning) {
  forget("000000010000000000000005");
  archive("000000010000000000000005", "wal", 5000);
  archive("000000010000000000000007", "wal", 6000);
  RecoveryTarget target;
  target.time = catalog::Timestamp{.instant = Time(std::chrono::seconds(1000))};
  EXPECT_THAT(plan(target).warnings, ElementsAre(HasSubstr("000000010000000000000006")));
  target.time->instant = Time(std::chrono::seconds(5500));
  EXPECT_THAT(refusal(target), HasSubstr("000000010000000000000006"));
}

TEST_F(PlanWal, SeesThatAFileIsGoneOrDamagedBeforeAnythingIsCopied) {
  os::write_file(stored("000000010000000000000004"), "wa");
  EXPECT_THAT(refusal(), HasSubstr("000000010000000000000004 has 2 bytes, but 3 were archived"));
  fs::remove(stored("000000010000000000000004"));
  EXPECT_THAT(refusal(), HasSubstr("000000010000000000000004 is in the index but not in the archive"));
  EXPECT_EQ(refusal({.immediate = true}), "");
}

TEST_F(PlanWal, ABackupLabelIsNoLoss) {
  fs::remove(stored("000000010000000000000002.00000028.backup"));
  EXPECT_EQ(plan().files.size(), 4U);
}

TEST_F(PlanWal, WhatIsFetchedMayStillArriveButNotFillAHole) {
  info_.end_wal = "000000010000000000000006";
  EXPECT_NE(refusal(), "");
  const WalPlan fetched = plan({}, {.fetched = true});
  EXPECT_THAT(fetched.files, ElementsAre());
  EXPECT_THAT(fetched.warnings, ElementsAre(HasSubstr("000000010000000000000006")));
  forget("000000010000000000000004");
  EXPECT_NE(refusal({}, {.fetched = true}), "");
}

TEST_F(PlanWal, TakesTheStreamedSegmentOnlyWhenAskedTo) {
  os::make_directories(home_.streaming);
  os::write_file(home_.streaming / "000000010000000000000006.partial", "streamed");
  EXPECT_EQ(plan().files.size(), 5U);
  const WalPlan partial = plan({}, {.partial = true});
  EXPECT_TRUE(partial.has_partial);
  EXPECT_EQ(names(partial).back(), "000000010000000000000006");
  EXPECT_EQ(partial.files.back().size, 8U);
  EXPECT_FALSE(plan({.immediate = true}, {.partial = true}).has_partial);
  EXPECT_FALSE(plan({.lsn = pgformat::Lsn{0x4000000}}, {.partial = true}).has_partial);
  EXPECT_TRUE(plan({.lsn = pgformat::Lsn{0x6000010}}, {.partial = true}).has_partial);
  EXPECT_NE(refusal({.lsn = pgformat::Lsn{0x7000010}}, {.partial = true}), "");
}

TEST_F(PlanWal, TakesAnArchivedPartialOnlyInPlaceOfAMissingSegment) {
  archive("000000010000000000000005.partial");
  archive("000000010000000000000006.partial");
  EXPECT_EQ(plan().files.size(), 5U);
  const WalPlan partial = plan({}, {.partial = true});
  EXPECT_EQ(partial.files.size(), 6U);
  EXPECT_EQ(names(partial).back(), "000000010000000000000006");
}

TEST_F(PlanWal, WalThatIsStoredCompressedWantsRoomForWholeSegments) {
  const auto plain = plan().bytes;
  index_.back().compression = "gzip";
  info_.xlog_segment_size = 1 << 20;
  EXPECT_EQ(plan().bytes, plain - index_.back().size + (1 << 20));
  EXPECT_EQ(plan().files.back().archived->entry.size, index_.back().size);
}

TEST_F(PlanWal, ACompressedHistoryIsReadAsAPlainOne) {
  archive("00000002.history", gzipped("1\t0/5000000\tno recovery target specified\n"));
  archive("000000020000000000000005");
  EXPECT_EQ(names(plan()).back(), "000000020000000000000005");
}

TEST_F(PlanWal, AHistoryThatCannotBeDecryptedIsToldNotPassedOver) {
  archive("00000002.history", "\x84\x5e\x03secret, not for us");
  archive("000000020000000000000005");
  EXPECT_THAT(refusal(), HasSubstr("encrypted"));
}

TEST_F(PlanWal, FollowsTheLatestTimelineThatTheBackupLeadsTo) {
  archive("00000002.history", "1\t0/5000000\tno recovery target specified\n");
  archive("000000020000000000000005");
  archive("000000020000000000000006");
  EXPECT_EQ(names(plan()).back(), "000000020000000000000006");
  EXPECT_FALSE(plan().timeline);
  EXPECT_EQ(names(plan(to_timeline("current"))).back(), "00000002.history");
  EXPECT_EQ(resolve_timeline(home_, info_, "latest", index_), 2U);
  EXPECT_EQ(resolve_timeline(home_, info_, "current", index_), 1U);
}

TEST_F(PlanWal, RefusesATimelineThatLeftBeforeTheBackupEnded) {
  archive("00000002.history", "1\t0/2800000\tearly\n");
  archive("000000020000000000000002");
  EXPECT_THAT(refusal(to_timeline("2")), HasSubstr("timeline 2 cannot be reached"));
  EXPECT_THAT(refusal(to_timeline("7")), HasSubstr("timeline 7 cannot be reached"));
  // The server would try timeline 2, as the latest that has a history.
  EXPECT_EQ(plan().timeline, 1U);
  EXPECT_FALSE(plan(to_timeline("current")).timeline);
}

TEST_F(PlanWal, NamesTheTimelineWhenAHistoryBeforeItIsMissing) {
  archive("00000003.history", "1\t0/4000000\tx\n2\t0/5000000\ty\n");
  archive("000000020000000000000004");
  archive("000000030000000000000005");
  EXPECT_EQ(plan().timeline, 3U);
}

TEST_F(PlanWal, ARecordWithoutWalIsDamaged) {
  info_.end_wal.reset();
  EXPECT_THAT(refusal(), HasSubstr("does not say which WAL it needs"));
}

}  // namespace
}  // namespace barman::engine
