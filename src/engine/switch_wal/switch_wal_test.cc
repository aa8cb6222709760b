#include "engine/switch_wal/switch_wal.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"

namespace barman::engine {
namespace {

using namespace std::chrono_literals;

class SteppedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override {
    now_ += pause;
    return !stop.stop_requested();
  }

 private:
  Time now_{};
};

TEST(WaitForWal, ArchivesBeforeEachLook) {
  SteppedClock clock;
  int archived = 0;
  EXPECT_EQ(wait_for_wal([&] { ++archived; }, [&] { return archived == 3; }, 30s, clock, {}),
            WaitOutcome::kArchived);
  EXPECT_EQ(archived, 3);
  EXPECT_EQ(clock.now().time_since_epoch(), 200ms);
}

TEST(WaitForWal, GivesUpAtTheLimit) {
  SteppedClock clock;
  EXPECT_EQ(wait_for_wal([] {}, [] { return false; }, 2s, clock, {}), WaitOutcome::kTimedOut);
  EXPECT_EQ(clock.now().time_since_epoch(), 2s);
}

TEST(WaitForWal, WithoutALimitWaitsForEver) {
  SteppedClock clock;
  int looks = 0;
  EXPECT_EQ(wait_for_wal([] {}, [&] { return ++looks == 5000; }, 0s, clock, {}), WaitOutcome::kArchived);
}

TEST(WaitForWal, HearsAStop) {
  SteppedClock clock;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(wait_for_wal([] {}, [] { return false; }, 0s, clock, stop.get_token()), Error);
}

}  // namespace
}  // namespace barman::engine
