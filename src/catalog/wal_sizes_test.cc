#include "catalog/wal_sizes.h"

#include <gtest/gtest.h>

namespace barman::catalog {
namespace {

std::string segment_name(unsigned timeline, unsigned number) {
  return pgformat::format_segment({.timeline = timeline, .log = 0, .seg = number});
}

BackupInfo backup_with_wal(unsigned timeline, unsigned begin, unsigned end) {
  BackupInfo info;
  info.begin_wal = segment_name(timeline, begin);
  info.end_wal = segment_name(timeline, end);
  return info;
}

// Segments 1 to 9 of timeline 1 and 8 to 12 of timeline 2; a size tells which it is.
WalSizes archive() {
  WalSizes sizes;
  for (unsigned i = 1; i <= 9; ++i) sizes.add({.name = segment_name(1, i), .size = i, .time = 100.0 * i});
  for (unsigned i = 8; i <= 12; ++i)
    sizes.add({.name = segment_name(2, i), .size = i * 100, .time = 100.0 * i});
  sizes.add({.name = "00000002.history", .size = 1000000});
  sizes.add({.name = segment_name(1, 3) + ".00000028.backup", .size = 1000000});
  sizes.add({.name = segment_name(1, 4) + ".partial", .size = 1000000});
  return sizes;
}

TEST(WalSizes, ABackupHasItsOwnWalAndThatUpToTheEndOfTheNext) {
  WalSizes sizes = archive();
  const BackupInfo next = backup_with_wal(1, 6, 7);
  const WalOfBackup found = sizes.of(backup_with_wal(1, 2, 3), &next);
  EXPECT_EQ(found.own, (WalTotal{.files = 2, .bytes = 2 + 3}));
  EXPECT_EQ(found.until_next, (WalTotal{.files = 4, .bytes = 4 + 5 + 6 + 7}));
  EXPECT_EQ(found.last, segment_name(1, 7));
  EXPECT_DOUBLE_EQ(found.seconds, 500);
}

TEST(WalSizes, TheNewestBackupHasAllThatFollowsOnItsTimeline) {
  WalSizes sizes = archive();
  const WalOfBackup found = sizes.of(backup_with_wal(1, 8, 8), nullptr);
  EXPECT_EQ(found.own, (WalTotal{.files = 1, .bytes = 8}));
  EXPECT_EQ(found.until_next, (WalTotal{.files = 1, .bytes = 9}));
  EXPECT_EQ(found.last, segment_name(1, 9));
}

TEST(WalSizes, ANextBackupOnALaterTimelineDoesNotLimit) {
  WalSizes sizes = archive();
  const BackupInfo next = backup_with_wal(2, 9, 9);
  EXPECT_EQ(sizes.of(backup_with_wal(1, 8, 8), &next).until_next, (WalTotal{.files = 1, .bytes = 9}));
}

TEST(WalSizes, WhatIsNotArchivedIsNotCounted) {
  WalSizes sizes = archive();
  EXPECT_EQ(sizes.of(backup_with_wal(1, 20, 21), nullptr), WalOfBackup{});
  EXPECT_EQ(sizes.of(backup_with_wal(3, 1, 1), nullptr), WalOfBackup{});
  EXPECT_EQ(sizes.of(BackupInfo{}, nullptr), WalOfBackup{});
  EXPECT_EQ(WalSizes().of(backup_with_wal(1, 1, 1), nullptr), WalOfBackup{});
}

TEST(WalSizes, TheOrderOfLinesDoesNotMatterAndADoubledLineCountsOnce) {
  WalSizes sizes;
  sizes.add({.name = segment_name(1, 3), .size = 3});
  sizes.add({.name = segment_name(1, 1), .size = 1});
  sizes.add({.name = segment_name(1, 3), .size = 30});
  sizes.add({.name = segment_name(1, 2), .size = 2});
  EXPECT_EQ(sizes.of(backup_with_wal(1, 1, 2), nullptr).own, (WalTotal{.files = 2, .bytes = 3}));
  EXPECT_EQ(sizes.of(backup_with_wal(1, 1, 2), nullptr).until_next, (WalTotal{.files = 1, .bytes = 30}));
}

TEST(WalSizes, AnEndBeforeTheBeginCountsNothingAsOwn) {
  WalSizes sizes = archive();
  EXPECT_EQ(sizes.of(backup_with_wal(1, 5, 3), nullptr).own, WalTotal{});
}

}  // namespace
}  // namespace barman::catalog
