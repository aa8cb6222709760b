#include "catalog/wal_removal.h"

#include <gtest/gtest.h>

#include "pgformat/wal_name.h"

namespace barman::catalog {
namespace {

std::string segment(unsigned timeline, unsigned number) {
  return pgformat::format_segment({.timeline = timeline, .log = 0, .seg = number});
}

BackupInfo backup(int day, unsigned begin, unsigned end, unsigned timeline = 1,
                  BackupStatus status = BackupStatus::kDone) {
  BackupInfo info;
  info.id = {"2026010" + std::to_string(day) + "T000000"};
  info.status = status;
  info.mode = "postgres";
  info.timeline = timeline;
  info.begin_wal = segment(timeline, begin);
  info.end_wal = segment(timeline, end);
  return info;
}

using Kept = std::map<BackupId, std::string>;

TEST(WalRemoval, OnlyTheOldestBackupTakesWalWithIt) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9)};
  const auto oldest = wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->before, segment(1, 8));
  EXPECT_TRUE(goes(*oldest, segment(1, 7)));
  EXPECT_FALSE(goes(*oldest, segment(1, 8)));
  EXPECT_FALSE(wal_to_remove(backups, backups[1], {}, DeletedBy::kCommand));
  EXPECT_FALSE(wal_to_remove(backups, backups[1], {}, DeletedBy::kRetention));
}

TEST(WalRemoval, TheLastBackupKeepsTheWalFromItsBeginOn) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4)};
  EXPECT_EQ(wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand)->before, segment(1, 3));
}

TEST(WalRemoval, HistoryFilesAndForeignNamesStay) {
  const WalRemoval removal{.before = segment(1, 8)};
  EXPECT_FALSE(goes(removal, "00000001.history"));
  EXPECT_FALSE(goes(removal, "notes.txt"));
  EXPECT_FALSE(goes(removal, ""));
}

TEST(WalRemoval, LabelsAndPartialsGoWithTheirSegment) {
  const WalRemoval removal{.before = segment(1, 8)};
  EXPECT_TRUE(goes(removal, segment(1, 7) + ".00000028.backup"));
  EXPECT_FALSE(goes(removal, segment(1, 8) + ".00000028.backup"));
  EXPECT_TRUE(goes(removal, segment(1, 7) + ".partial"));
}

TEST(WalRemoval, TimelinesOfOtherBackupsAreProtected) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9, 2), backup(3, 5, 6, 1)};
  const auto removal = wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand);
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->before, segment(2, 8));
  EXPECT_EQ(removal->protected_timelines, std::set<pgformat::Timeline>{1});
  EXPECT_FALSE(goes(*removal, segment(1, 3)));
  EXPECT_TRUE(goes(*removal, segment(2, 7)));
}

TEST(WalRemoval, ABackupThatIsBeingTakenProtectsItsTimelineAndFailedOnesDoNot) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9, 2),
                                           backup(3, 5, 6, 1, BackupStatus::kFailed)};
  EXPECT_TRUE(wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand)->protected_timelines.empty());
  auto running = backups;
  running[2].status = BackupStatus::kStarted;
  EXPECT_TRUE(wal_to_remove(running, running[0], {}, DeletedBy::kCommand)->protected_timelines.contains(1));
}

TEST(WalRemoval, AnIdThatIsYoungerButBeganEarlierMovesTheBoundary) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9), backup(3, 6, 7)};
  EXPECT_EQ(wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand)->before, segment(1, 6));
}

TEST(WalRemoval, RetentionLooksPastStandaloneBackupsAndKeepsTheirWal) {
  const std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9), backup(3, 12, 13)};
  const Kept kept = {{backups[0].id, "standalone"}};
  EXPECT_FALSE(wal_to_remove(backups, backups[1], kept, DeletedBy::kCommand));
  const auto removal = wal_to_remove(backups, backups[1], kept, DeletedBy::kRetention);
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->before, segment(1, 12));
  EXPECT_TRUE(goes(*removal, segment(1, 2)));
  EXPECT_FALSE(goes(*removal, segment(1, 3)));
  EXPECT_FALSE(goes(*removal, segment(1, 4) + ".00000028.backup"));
  EXPECT_TRUE(goes(*removal, segment(1, 5)));
  const Kept full = {{backups[0].id, "full"}};
  EXPECT_FALSE(wal_to_remove(backups, backups[1], full, DeletedBy::kRetention));
}

TEST(WalRemoval, NothingGoesWhileTheBoundaryIsUnknown) {
  std::vector<BackupInfo> backups = {backup(1, 3, 4), backup(2, 8, 9)};
  backups[1].begin_wal.reset();
  EXPECT_FALSE(wal_to_remove(backups, backups[0], {}, DeletedBy::kCommand));
  EXPECT_FALSE(wal_before(backups[1]));
}

TEST(WalRemoval, LowerCaseNamesAreComparedAsTheirUpperCase) {
  const WalRemoval removal{.before = segment(1, 0xB)};
  EXPECT_TRUE(goes(removal, "00000001000000000000000a"));
  EXPECT_FALSE(goes(removal, "00000001000000000000000b"));
}

}  // namespace
}  // namespace barman::catalog
