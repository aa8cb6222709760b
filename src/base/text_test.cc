#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace barman {
namespace {

using namespace std::chrono_literals;

class TextTest : public testing::Test {
 protected:
  void SetUp() override { zone("UTC"); }
  void TearDown() override { zone("UTC"); }

  static void zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }

  // 2026-11-22 13:30:01.412345 UTC
  const Time moment_{1795354201412345us};
};

TEST_F(TextTest, SizesGrowByUnitsOf1024) {
  EXPECT_EQ(pretty_size(0), "0 B");
  EXPECT_EQ(pretty_size(1023), "1023 B");
  EXPECT_EQ(pretty_size(1024), "1.0 KiB");
  EXPECT_EQ(pretty_size(16.0 * 1024 * 1024), "16.0 MiB");
  EXPECT_EQ(pretty_size(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(pretty_size(-200), "-200 B");
  EXPECT_EQ(pretty_size(2e27), "1654.4 YiB");
}

TEST_F(TextTest, DurationsNameEveryPartThatIsNotZero) {
  EXPECT_EQ(human_duration(0s), "less than one second");
  EXPECT_EQ(human_duration(999ms), "less than one second");
  EXPECT_EQ(human_duration(1s), "1 second");
  EXPECT_EQ(human_duration(90061s), "1 day, 1 hour, 1 minute, 1 second");
  EXPECT_EQ(human_duration(172802s), "2 days, 2 seconds");
  EXPECT_EQ(human_duration(-7200s), "2 hours ago");
}

TEST_F(TextTest, ProgressDurationsAreShort) {
  EXPECT_EQ(clock_duration(7s), "0:07");
  EXPECT_EQ(clock_duration(750s), "12:30");
  EXPECT_EQ(clock_duration(11100s), "3:05:00");
  EXPECT_EQ(clock_duration(-5s), "0:00");
}

TEST_F(TextTest, InstantsAreWrittenWithTheirOffset) {
  EXPECT_EQ(iso_text(moment_, 0s), "2026-11-22 13:30:01.412345+00:00");
  EXPECT_EQ(iso_text(moment_, 2h, 'T'), "2026-11-22T15:30:01.412345+02:00");
  EXPECT_EQ(iso_text(moment_, -(3h + 30min)), "2026-11-22 10:00:01.412345-03:30");
  EXPECT_EQ(iso_text(Time{1795354201000000us}, 0s), "2026-11-22 13:30:01+00:00");
}

TEST_F(TextTest, TheLocalZoneFollowsTheInstant) {
  zone("Europe/Rome");
  EXPECT_EQ(local_offset(moment_), 1h);
  EXPECT_EQ(local_offset(Time{1782000000s}), 2h);  // June
  EXPECT_EQ(local_iso_text(moment_), "2026-11-22 14:30:01.412345+01:00");
  EXPECT_EQ(compact_local_text(moment_), "20261122T143001");
}

TEST_F(TextTest, CtimePadsTheDayWithABlank) {
  EXPECT_EQ(ctime_text(moment_), "Sun Nov 22 13:30:01 2026");
  EXPECT_EQ(ctime_text(Time{1793626201s}), "Mon Nov  2 13:30:01 2026");
}

TEST_F(TextTest, InstantsBeforeTheEpochKeepTheirFraction) {
  EXPECT_EQ(iso_text(Time{-500000us}, 0s), "1969-12-31 23:59:59.500000+00:00");
}

TEST_F(TextTest, PercentagesAreRoundedDown) {
  EXPECT_EQ(percent_text(0, 10), "0%");
  EXPECT_EQ(percent_text(999, 1000), "99%");
  EXPECT_EQ(percent_text(10, 10), "100%");
  EXPECT_EQ(percent_text(0, 0), "100%");
}

}  // namespace
}  // namespace barman
