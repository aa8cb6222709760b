#include "engine/server/keep_alive.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "base/clock.h"
#include "base/expect_failure.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

// Its sleeps are over at once, until it has been asked often enough.
class QuickClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return {}; }
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override {
    last = pause;
    if (left-- > 0) return true;
    SystemClock().sleep(std::chrono::hours(1), stop);
    return false;
  }
  std::atomic<int> left = 3;
  std::atomic<std::chrono::milliseconds> last{};
};

class Counting final : public postgres::Session {
 public:
  [[nodiscard]] int server_version() const override { return 150000; }
  [[nodiscard]] std::string server_version_text() const override { return "15.0"; }
  std::vector<postgres::Row> query(std::string_view, std::span<const std::string>) override {
    asked.count_down();
    if (is_lost) throw Error(ErrorKind::kTransient, "the connection is lost");
    return {};
  }
  std::latch asked{1};
  std::atomic<bool> is_lost = false;
};

TEST(KeepAlive, AsksNowAndThen) {
  QuickClock clock;
  clock.left = 1;
  Counting session;
  const KeepAlive alive(session, std::chrono::seconds(60), clock);
  session.asked.wait();
  EXPECT_EQ(clock.last.load(), std::chrono::seconds(60));
  EXPECT_NO_THROW(alive.require());
}

TEST(KeepAlive, TellsThatTheConnectionIsLost) {
  QuickClock clock;
  Counting session;
  session.is_lost = true;
  const KeepAlive alive(session, std::chrono::seconds(1), clock);
  session.asked.wait();
  EXPECT_EQ(failure(ErrorKind::kTransient,
                    [&] {
                      while (true) alive.require();
                    }),
            "the connection is lost");
}

TEST(KeepAlive, NeverAsksIfItIsNotToBe) {
  QuickClock clock;
  Counting session;
  const KeepAlive alive(session, std::chrono::seconds(0), clock);
  EXPECT_NO_THROW(alive.require());
  EXPECT_FALSE(session.asked.try_wait());
}

}  // namespace
}  // namespace barman::engine
