#include "stream/chain.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "stream/memory.h"

namespace barman::stream {
namespace {

using namespace std::chrono_literals;

// Shows in `published` only what was finished.
class Publishing final : public Sink {
 public:
  explicit Publishing(std::string& published) : published_(published) {}
  void write(Bytes data) override { pending_ += text_of(data); }
  void finish() override { published_ = pending_; }

 private:
  std::string& published_;
  std::string pending_;
};

// Fails at the n-th call, counted from 0.
class FailsAt final : public Sink {
 public:
  explicit FailsAt(int call) : left_(call) {}
  void write(Bytes /*data*/) override { count(); }
  void finish() override { count(); }

 private:
  void count() {
    if (left_-- == 0) throw Error(ErrorKind::kFailed, "no space left");
  }
  int left_;
};

// Doubles every byte: produces more than it takes, as a decompressor does.
class Doubling final : public Filter {
 public:
  Step step(Bytes in, Buffer out, Input input) override {
    const std::size_t size = std::min(in.size(), out.size() / 2);
    for (std::size_t i = 0; i < size; ++i) out[2 * i] = out[2 * i + 1] = in[i];
    return {size, 2 * size, input == Input::kLast && size == in.size()};
  }
};

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

TEST(Pump, CopiesAllWhateverTheSizeOfTheReads) {
  for (const std::size_t chunk : {1U, 7U, 100000U}) {
    MemorySource source(std::string(300001, 'x'), chunk);
    std::string out;
    AppendTo sink(out);
    EXPECT_EQ(pump(source, sink), 300001U);
    EXPECT_EQ(out.size(), 300001U);
  }
}

TEST(Pump, StopsOnRequest) {
  MemorySource source("abc");
  std::string out;
  AppendTo sink(out);
  std::stop_source stop;
  stop.request_stop();
  try {
    pump(source, sink, stop.get_token());
    FAIL() << "went on";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCancelled);
  }
}

TEST(Chain, PassesBytesThroughEveryStageInOrder) {
  std::string published;
  Measurement before;
  Measurement after;
  auto path = chain(measure(before), through([] { return std::make_unique<Doubling>(); }), on_own_thread(2),
                    measure(after), std::make_unique<Publishing>(published));
  path->write(bytes_of("ab"));
  path->write(bytes_of("c"));
  EXPECT_EQ(published, "");
  path->finish();
  EXPECT_EQ(published, "aabbcc");
  EXPECT_EQ(before.bytes, 3U);
  EXPECT_EQ(after.bytes, 6U);
}

TEST(Chain, StagesFromAListAreInTheSameOrder) {
  std::string published;
  Measurement before;
  auto path = chain({measure(before), through([] { return std::make_unique<Doubling>(); })},
                    std::make_unique<Publishing>(published));
  path->write(bytes_of("xy"));
  path->finish();
  EXPECT_EQ(published, "xxyy");
  EXPECT_EQ(before.bytes, 2U);
}

TEST(Chain, AbandonedPathPublishesNothing) {
  std::string published = "old";
  {
    auto path = chain(on_own_thread(1), std::make_unique<Publishing>(published));
    path->write(bytes_of("half"));
  }
  EXPECT_EQ(published, "old");
}

TEST(OwnThread, FailureBehindTheThreadComesOutInFront) {
  for (int call = 0; call < 4; ++call) {
    auto path = chain(on_own_thread(1), std::make_unique<FailsAt>(call));
    const auto run = [&] {
      for (int i = 0; i < 3; ++i) path->write(bytes_of("x"));
      path->finish();
    };
    EXPECT_THROW(run(), Error) << "call " << call;
  }
}

TEST(Throttle, KeepsTheRate) {
  SteppedClock clock;
  std::string out;
  auto path = chain(throttle(1000, clock), std::make_unique<AppendTo>(out));
  path->write(bytes_of(std::string(5000, 'x')));
  EXPECT_EQ(clock.now().time_since_epoch(), 5s);
  EXPECT_EQ(out.size(), 5000U);
}

TEST(Throttle, ChainsOfOneStageShareTheRate) {
  SteppedClock clock;
  std::string out;
  const Stage stage = throttle(1000, clock);
  const auto one = chain(stage, std::make_unique<AppendTo>(out));
  const auto other = chain(stage, std::make_unique<AppendTo>(out));
  for (int i = 0; i < 10; ++i) {
    one->write(bytes_of(std::string(100, 'x')));
    other->write(bytes_of(std::string(300, 'y')));
  }
  EXPECT_EQ(clock.now().time_since_epoch(), 4s);
}

TEST(Throttle, MakesUpForAShortStallButNotForALongOne) {
  SteppedClock clock;
  std::string out;
  const auto path = chain(throttle(1000, clock), std::make_unique<AppendTo>(out));
  clock.sleep(3600s, {});
  path->write(bytes_of(std::string(3000, 'x')));
  EXPECT_EQ(clock.now().time_since_epoch(), 3602s);
}

TEST(Throttle, AClockThatIsSetBackStopsNothing) {
  SteppedClock clock;
  clock.sleep(3600s, {});
  std::string out;
  const auto path = chain(throttle(1000, clock), std::make_unique<AppendTo>(out));
  clock.sleep(-3600s, {});
  path->write(bytes_of(std::string(1000, 'x')));
  EXPECT_LE(clock.now().time_since_epoch(), 12s);
}

TEST(Throttle, HearsAStop) {
  SteppedClock clock;
  std::stop_source stop;
  std::string out;
  auto path = chain(throttle(10, clock, stop.get_token()), std::make_unique<AppendTo>(out));
  stop.request_stop();
  EXPECT_THROW(path->write(bytes_of("0123456789abcdef")), Error);
}

}  // namespace
}  // namespace barman::stream
