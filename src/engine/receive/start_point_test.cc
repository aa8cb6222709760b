#include "engine/receive/start_point.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::engine {
namespace {

using pgformat::kDefaultSegmentSize;
using pgformat::Lsn;

pgformat::Segment seg(std::string_view name) { return pgformat::parse_segment(name).value(); }
ReceivedSegment complete(std::string_view name) { return {.segment = seg(name), .complete = true}; }
ReceivedSegment partial(std::string_view name) { return {.segment = seg(name), .complete = false}; }

constexpr std::string_view k3 = "000000010000000000000003";
constexpr std::string_view k4 = "000000010000000000000004";
constexpr std::string_view k5 = "000000010000000000000005";
constexpr Lsn kStart4{0x4000000};
constexpr Lsn kStart5{0x5000000};

const ServerTimeline kFirst{.timeline = 1, .flushed = {0x9000123}};
// Promoted at 0/4800000, and again at 0/7000000.
const ServerTimeline kThird{.timeline = 3,
                            .flushed = {0x9000123},
                            .ancestors = {{.parent = 1, .switched_at = {0x4800000}, .reason = ""},
                                          {.parent = 2, .switched_at = {0x7000000}, .reason = ""}}};

StartPoint start(std::vector<ReceivedSegment> received, const ServerTimeline& server,
                 std::optional<pgformat::Segment> archived = {}, std::optional<Lsn> slot = {}) {
  return start_point({.received = received, .archived = archived, .slot_restart = slot}, server,
                     kDefaultSegmentSize);
}

StartPoint at(Lsn lsn, pgformat::Timeline timeline) { return {.lsn = lsn, .timeline = timeline}; }

TEST(StartPoint, GoesOnAfterTheLastCompleteSegment) {
  EXPECT_EQ(start({complete(k3), complete(k4)}, kFirst), at(kStart5, 1));
}

TEST(StartPoint, ReceivesAPartialSegmentAgainFromItsStart) {
  EXPECT_EQ(start({complete(k3), partial(k4)}, kFirst), at(kStart4, 1));
  EXPECT_EQ(start({partial(k4)}, kFirst), at(kStart4, 1));
}

TEST(StartPoint, ACompleteSegmentBeatsItsOwnPartial) {
  EXPECT_EQ(start({complete(k4), partial(k4)}, kFirst), at(kStart5, 1));
}

TEST(StartPoint, CrossesTheEndOfALog) {
  const ServerTimeline server{.timeline = 1, .flushed = {0x200000000}};
  EXPECT_EQ(start({complete("0000000100000000000000FF")}, server), at({0x100000000}, 1));
}

TEST(StartPoint, WhatIsHereCountsMoreThanSlotAndArchive) {
  EXPECT_EQ(start({partial(k4)}, kFirst, seg("000000010000000000000007"), Lsn{0x8000000}), at(kStart4, 1));
}

TEST(StartPoint, WithAnEmptyFolderTheArchiveTells) {
  EXPECT_EQ(start({}, kFirst, seg(k3)), at(kStart4, 1));
  // A slot that was made later must not hide that there is a gap.
  EXPECT_EQ(start({}, kFirst, seg(k3), Lsn{0x8000028}), at(kStart4, 1));
  // A slot that is behind has what it has: received twice is better than not at all.
  EXPECT_EQ(start({}, kFirst, seg(k4), Lsn{0x4000028}), at(kStart4, 1));
}

TEST(StartPoint, WithNothingHereTheSlotTellsElseTheServer) {
  EXPECT_EQ(start({}, kFirst, {}, Lsn{0x4000028}), at(kStart4, 1));
  EXPECT_EQ(start({}, kFirst), at({0x9000000}, 1));
  // The slot's position is of the timeline that the server was on then.
  EXPECT_EQ(start({}, kThird, {}, Lsn{0x4000028}), at(kStart4, 1));
  EXPECT_EQ(start({}, kThird, {}, Lsn{0x6000028}), at({0x6000000}, 2));
  EXPECT_EQ(start({}, kThird), at({0x9000000}, 3));
}

TEST(StartPoint, ATimelineThatTheServerLeftIsFollowedToItsEnd) {
  EXPECT_EQ(start({complete(k3)}, kThird), at(kStart4, 1));
  EXPECT_EQ(start({partial(k4)}, kThird), at(kStart4, 1));
  EXPECT_EQ(start({complete("000000020000000000000006")}, kThird), at({0x7000000}, 2));
}

TEST(StartPoint, WalBeyondThePointWhereTheServerLeftItsTimelineIsNotGoneOnFrom) {
  const StartPoint point = start({complete(k3), complete(k4), partial(k5)}, kThird);
  EXPECT_EQ(point.lsn, kStart4);
  EXPECT_EQ(point.timeline, 2U);
  ASSERT_TRUE(point.remark);
  EXPECT_NE(point.remark->find("left timeline 1 at 0/4800000"), std::string::npos);
}

TEST(StartPoint, FilesOfATimelineOfItsPastBeatThoseOfAStrangersFuture) {
  EXPECT_EQ(start({complete(k3), partial("000000090000000000000004")}, kFirst), at(kStart4, 1));
}

TEST(StartPoint, WalOfAnotherHistoryOrAheadOfTheServerIsRefusedWithAWayOut) {
  for (const auto& received : {partial("000000090000000000000004"), complete("000000010000000000000009")}) {
    try {
      start({received}, kFirst);
      FAIL() << "accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kFailed);
      EXPECT_NE(std::string(e.what()).find("receive-wal --reset"), std::string::npos);
    }
  }
}

TEST(StartPoint, TheEndOfASegmentIsNotAheadOfAServerThatStandsThere) {
  EXPECT_EQ(start({complete(k4)}, {.timeline = 1, .flushed = kStart5}), at(kStart5, 1));
}

TEST(TimelineAt, APositionAtTheSwitchIsOfTheNextTimeline) {
  EXPECT_EQ(timeline_at({0x47FFFFF}, kThird), 1U);
  EXPECT_EQ(timeline_at({0x4800000}, kThird), 2U);
  EXPECT_EQ(timeline_at({0x7000000}, kThird), 3U);
  EXPECT_EQ(timeline_at({1}, kFirst), 1U);
}

}  // namespace
}  // namespace barman::engine
