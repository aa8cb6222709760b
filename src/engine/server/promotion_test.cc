#include "engine/server/promotion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/server/home_catalog.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

using catalog::BackupStatus;
using testing::HasSubstr;

std::string segment(unsigned number, unsigned timeline = 1) {
  return pgformat::format_segment({.timeline = timeline, .log = number / 256, .seg = number % 256});
}

std::string text_of(const catalog::BackupInfo& info) { return catalog::format_backup_info(info); }

class PromotionTest : public testing::Test {
 protected:
  // A backup whose WAL is segments 5 to 7 of timeline 1.
  static catalog::BackupInfo backup() {
    catalog::BackupInfo info;
    info.id = {"20260101T000000"};
    info.status = BackupStatus::kWaitingForWals;
    info.begin_wal = segment(5);
    info.end_wal = segment(7);
    return info;
  }

  void archive(unsigned number, unsigned timeline = 1) const {
    const std::string name = segment(number, timeline);
    ScratchHome::write(scratch_.home.wals / name.substr(0, 16) / name, "x");
  }

  [[nodiscard]] BackupStatus status() const { return judge_promotion(scratch_.home, backup())->status; }

  ScratchHome scratch_;
};

TEST_F(PromotionTest, NothingIsSaidOfABackupWithoutAnEnd) {
  auto info = backup();
  info.end_wal.reset();
  EXPECT_EQ(judge_promotion(scratch_.home, info), std::nullopt);
}

TEST_F(PromotionTest, WithAllItsWalItIsDone) {
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  EXPECT_EQ(status(), BackupStatus::kDone);
  archive(300);
  EXPECT_EQ(status(), BackupStatus::kDone) << "a later folder of the archive";
}

TEST_F(PromotionTest, ItWaitsWhileItsWalIsStillToCome) {
  EXPECT_EQ(status(), BackupStatus::kWaitingForWals) << "an empty archive";
  archive(4);
  EXPECT_EQ(status(), BackupStatus::kWaitingForWals) << "only older ones";
  archive(5);
  archive(6);
  EXPECT_EQ(status(), BackupStatus::kWaitingForWals);
}

TEST_F(PromotionTest, WalOfAnotherTimelineDoesNotCount) {
  for (unsigned i = 1; i <= 9; ++i) archive(i, 2);
  ScratchHome::write(scratch_.home.wals / "00000002.history", "x");
  EXPECT_EQ(status(), BackupStatus::kWaitingForWals);
}

TEST_F(PromotionTest, OtherFilesOfTheArchiveAreNoFolders) {
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  ScratchHome::write(scratch_.home.wals / "00000001.history", "x");
  ScratchHome::write(scratch_.home.wals / "00000001.HISTORY", "x");
  EXPECT_EQ(status(), BackupStatus::kDone);
}

TEST_F(PromotionTest, AGapMakesItFailedAndNamesTheFirstMissingFile) {
  archive(5);
  archive(7);
  const auto verdict = judge_promotion(scratch_.home, backup());
  EXPECT_EQ(verdict->status, BackupStatus::kFailed);
  EXPECT_EQ(verdict->error, "At least one WAL file is missing. The first missing WAL file is " + segment(6));
}

TEST_F(PromotionTest, AGapThatIsOnItsWayOnlyWaits) {
  archive(5);
  archive(7);
  for (const auto& path : {scratch_.home.incoming / segment(6), scratch_.home.streaming / segment(6),
                           scratch_.home.streaming / (segment(6) + ".partial")}) {
    ScratchHome::write(path, "x");
    EXPECT_EQ(status(), BackupStatus::kWaitingForWals) << path;
    std::filesystem::remove(path);
  }
  EXPECT_EQ(status(), BackupStatus::kFailed);
}

TEST_F(PromotionTest, APartialSegmentInTheArchiveIsNoSegment) {
  archive(5);
  archive(6);
  ScratchHome::write(scratch_.home.wals / segment(7).substr(0, 16) / (segment(7) + ".partial"), "x");
  EXPECT_EQ(status(), BackupStatus::kWaitingForWals);
}

TEST_F(PromotionTest, ABackupThatEndedOnAnotherTimelineFailsAtOnce) {
  auto info = backup();
  info.end_wal = segment(7, 2);
  const auto verdict = judge_promotion(scratch_.home, info);
  EXPECT_EQ(verdict->status, BackupStatus::kFailed);
  EXPECT_THAT(*verdict->error, testing::AllOf(HasSubstr(segment(5)), HasSubstr(segment(7, 2))));
}

TEST_F(PromotionTest, WalOfOtherSegmentSizesIsCountedByItsSize) {
  auto info = backup();
  info.xlog_segment_size = 1024UL * 1024 * 1024;
  info.begin_wal = "000000010000000000000003";
  info.end_wal = "000000010000000100000000";
  ScratchHome::write(scratch_.home.wals / "0000000100000000" / *info.begin_wal, "x");
  ScratchHome::write(scratch_.home.wals / "0000000100000001" / *info.end_wal, "x");
  EXPECT_EQ(judge_promotion(scratch_.home, info)->status, BackupStatus::kDone);
}

TEST_F(PromotionTest, TheVerdictIsRecorded) {
  HomeCatalog catalog(scratch_.home);
  catalog->save(backup());
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  EXPECT_EQ(promote(scratch_.home, *catalog, backup()).status, BackupStatus::kDone);
  EXPECT_EQ(catalog->find({"20260101T000000"})->status, BackupStatus::kDone);
  std::filesystem::remove(scratch_.home.wals / "0000000100000000" / segment(6));
  EXPECT_EQ(promote(scratch_.home, *catalog, *catalog->find({"20260101T000000"})).status,
            BackupStatus::kFailed);
  EXPECT_THAT(*catalog->find({"20260101T000000"})->error, HasSubstr(segment(6)));
}

TEST_F(PromotionTest, WhatTheRecordSaysByNowStays) {
  HomeCatalog catalog(scratch_.home);
  auto meanwhile = backup();
  meanwhile.size = 4711;
  meanwhile.children_backup_ids = {{"20260102T000000"}};
  catalog->save(meanwhile);
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  auto promoted = meanwhile;
  promoted.status = BackupStatus::kDone;
  EXPECT_EQ(text_of(promote(scratch_.home, *catalog, backup())), text_of(promoted));
  EXPECT_EQ(text_of(*catalog->find(backup().id)), text_of(promoted));
}

TEST_F(PromotionTest, WhatIsStillBeingTakenIsLeftToWhoeverTakesIt) {
  HomeCatalog catalog(scratch_.home);
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  for (const auto status : {BackupStatus::kEmpty, BackupStatus::kStarted, BackupStatus::kFailed}) {
    auto info = backup();
    info.status = status;
    catalog->save(info);
    EXPECT_EQ(text_of(promote(scratch_.home, *catalog, info)), text_of(info));
    EXPECT_EQ(text_of(*catalog->find(info.id)), text_of(info));
  }
}

TEST_F(PromotionTest, AVerdictOnWhatTheRecordDoesNotSayAnyMoreIsDropped) {
  HomeCatalog catalog(scratch_.home);
  auto failed = backup();
  failed.status = BackupStatus::kFailed;
  failed.error = "judged by another";
  catalog->save(failed);
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  EXPECT_EQ(text_of(promote(scratch_.home, *catalog, backup())), text_of(failed));
  EXPECT_EQ(text_of(*catalog->find(failed.id)), text_of(failed));
}

TEST_F(PromotionTest, WhatWasDeletedMeanwhileDoesNotComeBack) {
  HomeCatalog catalog(scratch_.home);
  for (unsigned i = 5; i <= 7; ++i) archive(i);
  (void)promote(scratch_.home, *catalog, backup());
  EXPECT_FALSE(catalog->find(backup().id));
}

}  // namespace
}  // namespace barman::engine
