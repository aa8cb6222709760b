#include "catalog/timestamp.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace barman::catalog {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

// The local zone, for the length of a test.
class Timestamps : public testing::Test {
 protected:
  void SetUp() override { zone("Europe/Berlin"); }
  void TearDown() override { zone("UTC"); }
  static void zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
};

std::string rewritten(std::string_view text) {
  const auto parsed = parse_timestamp(text);
  return parsed ? format_timestamp(*parsed) : "nothing";
}

TEST_F(Timestamps, WhatIsWrittenIsReadBack) {
  for (const std::string_view text : {"2026-11-22 13:30:01.412345+00:00", "2026-11-22 13:30:01+01:00",
                                      "1999-12-31 23:59:59.000001-09:30", "2026-01-01 00:00:00+05:53:28"}) {
    EXPECT_EQ(rewritten(text), text);
  }
}

TEST_F(Timestamps, TheInstantDoesNotDependOnTheOffset) {
  const auto a = parse_timestamp("2026-11-22 13:30:01+01:00");
  const auto b = parse_timestamp("2026-11-22 12:30:01+00:00");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->instant, b->instant);
  EXPECT_EQ(a->instant, Time(seconds(1795350601)));
  EXPECT_NE(*a, *b);
}

TEST_F(Timestamps, OtherFormsAreRead) {
  EXPECT_EQ(rewritten("2026-11-22T13:30:01Z"), "2026-11-22 13:30:01+00:00");
  EXPECT_EQ(rewritten("2026-11-22 13:30:01 UTC"), "2026-11-22 13:30:01+00:00");
  EXPECT_EQ(rewritten("2026-11-22 13:30:01,5+0230"), "2026-11-22 13:30:01.500000+02:30");
  EXPECT_EQ(rewritten("2026-11-22 13:30:01.1234567-03"), "2026-11-22 13:30:01.123456-03:00");
  EXPECT_EQ(rewritten("2026-11-22 13:30"), "2026-11-22 13:30:00+01:00");
}

TEST_F(Timestamps, WithoutAZoneItIsLocalTime) {
  EXPECT_EQ(rewritten("2026-11-22 13:30:01"), "2026-11-22 13:30:01+01:00");
  EXPECT_EQ(rewritten("2026-07-22 13:30:01"), "2026-07-22 13:30:01+02:00");
  EXPECT_EQ(rewritten("Sun Nov 22 13:38:18 2026"), "2026-11-22 13:38:18+01:00");
  EXPECT_EQ(rewritten("Sun Nov  1 13:38:18 2026"), "2026-11-01 13:38:18+01:00");
}

TEST_F(Timestamps, CtimeIsOfTheTimestampsOwnZone) {
  EXPECT_EQ(format_ctime(*parse_timestamp("2026-11-02 03:04:05.9+05:00")), "Mon Nov  2 03:04:05 2026");
}

TEST_F(Timestamps, AnInstantIsGivenTheLocalOffset) {
  EXPECT_EQ(format_timestamp(local_timestamp(Time(seconds(1795350601)) + microseconds(7))),
            "2026-11-22 13:30:01.000007+01:00");
}

TEST_F(Timestamps, AnythingElseIsNothing) {
  for (const std::string_view text :
       {"", "now", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-01-01 24:00:00", "2026-01-01 00:60:00",
        "2026-01-01 00:00:00.", "2026-01-01 00:00:00+", "2026-01-01 00:00:00+1", "2026-01-01 00:00:00+24:00",
        "2026-01-01 00:00:00+01:00x", "2026-01-01x", "Sun Foo 22 13:38:18 2026", "26-01-01 00:00:00"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

TEST_F(Timestamps, CutShortItIsNothingOrLessPrecise) {
  const std::string whole = "2026-11-22 13:30:01.412345+00:00";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NO_THROW((void)parse_timestamp(whole.substr(0, length)));
  }
}

}  // namespace
}  // namespace barman::catalog
