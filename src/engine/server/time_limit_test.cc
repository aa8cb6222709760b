#include "engine/server/time_limit.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace barman::engine {
namespace {

TEST(TimeLimit, RequestsAStopWhenTheTimeIsOver) {
  const TimeLimit limit(std::chrono::milliseconds(200), {});
  SystemClock clock;
  clock.sleep(std::chrono::seconds(30), limit.token());
  EXPECT_TRUE(limit.token().stop_requested());
}

TEST(TimeLimit, PassesAStopOn) {
  std::stop_source stop;
  const TimeLimit limit(std::chrono::seconds(0), stop.get_token());
  EXPECT_FALSE(limit.token().stop_requested());
  stop.request_stop();
  EXPECT_TRUE(limit.token().stop_requested());
}

TEST(TimeLimit, EndsAtOnceWhenNobodyNeedsIt) {
  const auto began = std::chrono::steady_clock::now();
  { const TimeLimit limit(std::chrono::seconds(1000), {}); }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(100));
}

}  // namespace
}  // namespace barman::engine
