#include "engine/wal/wal_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::engine {
namespace {

using pgformat::Lsn;
using pgformat::Segment;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kSize = pgformat::kDefaultSegmentSize;

std::vector<catalog::WalEntry> index_of(std::initializer_list<const char*> names) {
  std::vector<catalog::WalEntry> entries;
  for (const char* name : names) entries.push_back({.name = name, .size = kSize, .time = 1.0});
  return entries;
}

std::vector<std::string> names_of(const std::vector<catalog::WalEntry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

const auto kIndex = index_of({
    "000000010000000000000001",
    "000000010000000000000002",
    "000000010000000000000002.00000028.backup",
    "000000010000000000000003",
    "000000010000000000000004",
    "00000002.history",
    "000000020000000000000004",
    "000000020000000000000005",
});

WalRange backup_in_two_to_three() {
  return {.begin_wal = "000000010000000000000002", .end_wal = "000000010000000000000003"};
}

TEST(NeededWal, ToTheEndOfTheTimelineOfTheBackup) {
  EXPECT_THAT(names_of(needed_wal(backup_in_two_to_three(), kIndex)),
              ElementsAre("000000010000000000000002", "000000010000000000000002.00000028.backup",
                          "000000010000000000000003", "000000010000000000000004", "00000002.history"));
}

TEST(NeededWal, ImmediateNeedsNothingBehindTheBackupButHistories) {
  auto range = backup_in_two_to_three();
  range.immediate = true;
  EXPECT_THAT(names_of(needed_wal(range, kIndex)),
              ElementsAre("000000010000000000000002", "000000010000000000000002.00000028.backup",
                          "000000010000000000000003", "00000002.history"));
}

TEST(NeededWal, AnLsnEndsItWithTheSegmentThatHoldsIt) {
  auto range = backup_in_two_to_three();
  range.target_timeline = 2;
  range.target_lsn = Lsn{0x4000010};
  EXPECT_THAT(names_of(needed_wal(range, kIndex)),
              ElementsAre("000000010000000000000002", "000000010000000000000002.00000028.backup",
                          "000000010000000000000003", "000000010000000000000004", "00000002.history",
                          "000000020000000000000004"));
}

TEST(NeededWal, AnLsnBeforeTheEndOfTheBackupStillNeedsTheBackupsOwn) {
  auto range = backup_in_two_to_three();
  range.target_lsn = Lsn{0x1000000};
  EXPECT_EQ(names_of(needed_wal(range, kIndex)).back(), "00000002.history");
  EXPECT_THAT(names_of(needed_wal(range, kIndex)), testing::Contains("000000010000000000000003"));
}

TEST(NeededWal, OrderAndRepetitionInTheIndexDoNotMatter) {
  const auto index =
      index_of({"00000002.history", "000000010000000000000004", "000000010000000000000003",
                "000000010000000000000003", "000000010000000000000001", "000000010000000000000002"});
  auto range = backup_in_two_to_three();
  range.immediate = true;
  EXPECT_THAT(names_of(needed_wal(range, index)),
              ElementsAre("00000002.history", "000000010000000000000003", "000000010000000000000002"));
}

TEST(NeededWal, ARecordWithoutSegmentNamesIsSaidToBeDamaged) {
  try {
    (void)needed_wal({.begin_wal = "../etc", .end_wal = "000000010000000000000003"}, kIndex);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(e.what(), testing::HasSubstr("begin_wal"));
  }
}

TEST(MissingWal, NamesEachHole) {
  const auto index = index_of({"000000010000000000000002", "000000010000000000000003",
                               "000000010000000000000006", "000000010000000000000008"});
  const Stretch path[] = {{{1, 0, 1}, {1, 0, 9}}};
  EXPECT_THAT(missing_wal(path, index, kSize),
              ElementsAre(Stretch{{1, 0, 1}, {1, 0, 1}}, Stretch{{1, 0, 4}, {1, 0, 5}},
                          Stretch{{1, 0, 7}, {1, 0, 7}}, Stretch{{1, 0, 9}, {1, 0, 9}}));
}

TEST(MissingWal, NoneWhenAllAreThere) {
  const Stretch path[] = {{{1, 0, 1}, {1, 0, 4}}};
  EXPECT_THAT(missing_wal(path, kIndex, kSize), IsEmpty());
}

TEST(MissingWal, APartialOrABackupLabelIsNotTheSegment) {
  const Stretch path[] = {{{1, 0, 5}, {1, 0, 5}}};
  EXPECT_THAT(
      missing_wal(path,
                  index_of({"000000010000000000000005.partial", "000000010000000000000005.00000028.backup"}),
                  kSize),
      ElementsAre(Stretch{{1, 0, 5}, {1, 0, 5}}));
}

TEST(MissingWal, GoesOnAcrossTheEndOfALog) {
  const Stretch path[] = {{{1, 0, 0xFE}, {1, 1, 1}}};
  const auto index = index_of({"0000000100000000000000FE", "000000010000000100000001"});
  EXPECT_THAT(missing_wal(path, index, kSize), ElementsAre(Stretch{{1, 0, 0xFF}, {1, 1, 0}}));
  EXPECT_THAT(missing_wal(path,
                          index_of({"0000000100000000000000FE", "0000000100000000000000FF",
                                    "000000010000000100000000", "000000010000000100000001"}),
                          kSize),
              IsEmpty());
}

TEST(MissingWal, AnEmptyArchiveMissesAllAtOnce) {
  const Stretch path[] = {{{1, 0, 1}, {1, 0xFFFF, 1}}};
  EXPECT_THAT(missing_wal(path, {}, kSize), ElementsAre(path[0]));
}

TEST(RecoveryPath, OneTimelineIsOneStretch) {
  EXPECT_THAT(recovery_path({1, 0, 2}, {}, {1, 0, 9}, kSize), ElementsAre(Stretch{{1, 0, 2}, {1, 0, 9}}));
}

TEST(RecoveryPath, TheSegmentOfTheForkIsReadFromTheNewTimeline) {
  const Fork forks[] = {{1, Lsn{0x4000100}}};
  EXPECT_THAT(recovery_path({1, 0, 2}, forks, {2, 0, 9}, kSize),
              ElementsAre(Stretch{{1, 0, 2}, {1, 0, 3}}, Stretch{{2, 0, 4}, {2, 0, 9}}));
}

TEST(RecoveryPath, TwoTimelinesMayForkInOneSegment) {
  const Fork forks[] = {{1, Lsn{0x4000100}}, {2, Lsn{0x4000200}}};
  EXPECT_THAT(recovery_path({1, 0, 2}, forks, {3, 0, 5}, kSize),
              ElementsAre(Stretch{{1, 0, 2}, {1, 0, 3}}, Stretch{{3, 0, 4}, {3, 0, 5}}));
}

TEST(RecoveryPath, EarlierTimelinesOfTheHistoryDoNotMatter) {
  const Fork forks[] = {{1, Lsn{0x4000100}}, {2, Lsn{0x7000000}}};
  EXPECT_THAT(recovery_path({2, 0, 5}, forks, {0xA, 0, 8}, kSize),
              ElementsAre(Stretch{{2, 0, 5}, {2, 0, 6}}, Stretch{{0xA, 0, 7}, {0xA, 0, 8}}));
}

TEST(RecoveryPath, RefusesATimelineThatLeftBeforeTheBackupOrIsNoDescendant) {
  const Fork early[] = {{1, Lsn{0x1000100}}};
  EXPECT_THROW(recovery_path({1, 0, 2}, early, {2, 0, 9}, kSize), Error);
  const Fork other[] = {{3, Lsn{0x9000000}}};
  EXPECT_THROW(recovery_path({1, 0, 2}, other, {4, 0, 9}, kSize), Error);
}

TEST(NewestSegment, IsOfTheTimelineThatWasAskedFor) {
  EXPECT_EQ(newest_segment(kIndex, 1), (Segment{1, 0, 4}));
  EXPECT_EQ(newest_segment(kIndex, 2), (Segment{2, 0, 5}));
  EXPECT_EQ(newest_segment(kIndex, 3), std::nullopt);
}

TEST(FormatStretch, SaysHowMany) {
  EXPECT_EQ(format_stretch({{1, 0, 3}, {1, 0, 3}}, kSize), "000000010000000000000003");
  EXPECT_EQ(format_stretch({{1, 0, 3}, {1, 0, 7}}, kSize),
            "000000010000000000000003 to 000000010000000000000007 (5 segments)");
}

}  // namespace
}  // namespace barman::engine
