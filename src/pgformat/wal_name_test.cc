#include "pgformat/wal_name.h"

#include <gtest/gtest.h>

namespace barman::pgformat {
namespace {

constexpr SegmentSize kMiB = 1024 * 1024;

Segment segment(std::string_view name) { return parse_segment(name).value(); }

TEST(WalName, NamesOfEveryKindAreRead) {
  EXPECT_EQ(parse_wal_name("0000000100000000000000FF")->kind, WalKind::kSegment);
  EXPECT_EQ(parse_wal_name("0000000100000000000000FF.partial")->kind, WalKind::kPartial);
  EXPECT_EQ(parse_wal_name("0000000100000000000000FF.00000028.backup")->kind, WalKind::kBackup);
  EXPECT_EQ(parse_wal_name("00000010.history")->kind, WalKind::kHistory);
  EXPECT_EQ(parse_wal_name("00000010.history")->segment.timeline, 16U);
  EXPECT_EQ(parse_wal_name("0000000100000002000000FF.partial")->segment, (Segment{1, 2, 255}));
}

TEST(WalName, LowerCaseIsReadAndUpperCaseIsWritten) {
  EXPECT_EQ(format_segment(segment("0000000a0000000b000000fe")), "0000000A0000000B000000FE");
  EXPECT_EQ(format_history_name(parse_wal_name("0000000a.history")->segment.timeline), "0000000A.history");
}

TEST(WalName, AnyOtherTextIsNoName) {
  for (const char* text : {"",
                           ".",
                           "x",
                           "00000001",
                           ".history",
                           "0000001.history",
                           "000000001.history",
                           "0000000G.history",
                           "00000001.histor",
                           "00000001.history ",
                           "00000001.HISTORY",
                           "00000001000000000000000",
                           "0000000100000000000000010",
                           "00000001000000000000000G",
                           "000000010000000000000001.part",
                           "000000010000000000000001.partial2",
                           "000000010000000000000001.gz",
                           "000000010000000000000001.",
                           "000000010000000000000001.0000028.backup",
                           "000000010000000000000001.00000028.backu",
                           "000000010000000000000001.000000281backup",
                           "000000010000000000000001.backup",
                           "+00000010000000000000001",
                           "-0000001.history",
                           "0x000001.history",
                           " 0000001.history",
                           "../00000001.history",
                           "000000010000000000000001/00000028.backup"}) {
    EXPECT_FALSE(parse_wal_name(text)) << text;
  }
}

TEST(WalName, EveryTruncationIsNoName) {
  const std::string_view backup = "000000010000000000000001.00000028.backup";
  for (std::size_t size = 0; size < backup.size(); ++size) {
    EXPECT_EQ(parse_wal_name(backup.substr(0, size)).has_value(), size == 24) << size;
  }
}

TEST(WalName, AllDigitsAndOnlyThoseCount) {
  EXPECT_EQ(segment("FFFFFFFFFFFFFFFFFFFFFFFF"), (Segment{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}));
  std::string embedded = "000000010000000000000001";
  embedded[10] = '\0';
  EXPECT_FALSE(parse_segment(embedded));
}

TEST(WalName, TimelinesAreHexadecimal) {
  EXPECT_EQ(format_history_name(9 + 1), "0000000A.history");
  EXPECT_EQ(format_history_name(0x10), "00000010.history");
  EXPECT_EQ(format_history_name(0xFFFFFFFF), "FFFFFFFF.history");
  EXPECT_LT(segment("000000090000000000000001"), segment("000000100000000000000001"));
}

TEST(WalName, TheFolderIsTimelineAndLog) {
  EXPECT_EQ(hash_directory(*parse_wal_name("0000000a0000000b000000fe.partial")), "0000000A0000000B");
  EXPECT_EQ(hash_directory(*parse_wal_name("0000000A.history")), "");
}

TEST(WalName, TheHighestSegmentOfALogDependsOnTheSize) {
  EXPECT_EQ(last_seg_of_log(kMiB), 4095U);
  EXPECT_EQ(last_seg_of_log(16 * kMiB), 255U);
  EXPECT_EQ(last_seg_of_log(64 * kMiB), 63U);
  EXPECT_EQ(last_seg_of_log(1024 * kMiB), 3U);
}

TEST(WalName, NeighboursRollOverWithTheLog) {
  EXPECT_EQ(format_segment(next_segment(segment("0000000100000000000000FE"), 16 * kMiB)),
            "0000000100000000000000FF");
  EXPECT_EQ(format_segment(next_segment(segment("0000000100000000000000FF"), 16 * kMiB)),
            "000000010000000100000000");
  EXPECT_EQ(format_segment(next_segment(segment("000000010000000000000FFF"), kMiB)),
            "000000010000000100000000");
  EXPECT_EQ(format_segment(previous_segment(segment("000000010000000100000000"), 1024 * kMiB)),
            "000000010000000000000003");
}

TEST(WalName, NextAndPreviousUndoEachOtherForEverySize) {
  for (SegmentSize size = kMiB; size <= 1024 * kMiB; size *= 2) {
    const Segment last{.timeline = 3, .log = 7, .seg = last_seg_of_log(size)};
    EXPECT_EQ(next_segment(last, size), (Segment{3, 8, 0})) << size;
    EXPECT_EQ(previous_segment(next_segment(last, size), size), last) << size;
    EXPECT_EQ(start_of(next_segment(last, size), size).value, start_of(last, size).value + size);
    EXPECT_EQ(segments_between(last, next_segment(last, size), size), 2U);
  }
}

TEST(WalName, APositionIsInASegmentAtAnOffset) {
  const Lsn lsn = parse_lsn("1/FF000028").value();
  EXPECT_EQ(format_segment(segment_of(lsn, 1, 16 * kMiB)), "0000000100000001000000FF");
  EXPECT_EQ(offset_in_segment(lsn, 16 * kMiB), 0x28U);
  EXPECT_EQ(format_segment(segment_of(lsn, 2, 1024 * kMiB)), "000000020000000100000003");
  EXPECT_EQ(offset_in_segment(lsn, 1024 * kMiB), 0x3F000028U);
  EXPECT_EQ(start_of(segment_of(lsn, 1, 16 * kMiB), 16 * kMiB), parse_lsn("1/FF000000"));
}

TEST(WalName, CountsSegmentsIncludingBothEnds) {
  EXPECT_EQ(
      segments_between(segment("000000010000000000000001"), segment("000000010000000000000001"), 16 * kMiB),
      1U);
  EXPECT_EQ(
      segments_between(segment("0000000100000000000000FE"), segment("000000010000000200000001"), 16 * kMiB),
      260U);
  EXPECT_EQ(
      segments_between(segment("000000010000000000000002"), segment("000000010000000000000001"), 16 * kMiB),
      0U);
}

}  // namespace
}  // namespace barman::pgformat
