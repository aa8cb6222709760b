#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace barman {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, SleepsTheWholePauseWhenNobodyAsksToStop) {
  SystemClock clock;
  const Time before = clock.now();
  EXPECT_TRUE(clock.sleep(5ms, {}));
  EXPECT_GE(clock.now() - before, 4ms);
}

TEST(SystemClock, WakesWhenAskedToStop) {
  SystemClock clock;
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_FALSE(clock.sleep(1h, source.get_token()));
}

}  // namespace
}  // namespace barman
