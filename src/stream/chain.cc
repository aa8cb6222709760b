#include "stream/chain.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace barman::stream {

namespace {

class Through final : public Sink {
 public:
  Through(std::unique_ptr<Filter> filter, std::unique_ptr<Sink> next)
      : filter_(std::move(filter)), next_(std::move(next)) {}

  void write(Bytes data) override {
    while (!data.empty()) {
      const Filter::Step step = filter_->step(data, out_, Filter::Input::kMore);
      data = data.subspan(step.consumed);
      pass_on(step.produced);
    }
  }

  void finish() override {
    while (true) {
      const Filter::Step step = filter_->step({}, out_, Filter::Input::kLast);
      pass_on(step.produced);
      if (step.done) break;
    }
    next_->finish();
  }

 private:
  void pass_on(std::size_t produced) {
    if (produced != 0) next_->write(Bytes(out_).first(produced));
  }

  std::unique_ptr<Filter> filter_;
  std::unique_ptr<Sink> next_;
  std::vector<std::byte> out_ = std::vector<std::byte>(128 * 1024);
};

class Measure final : public Sink {
 public:
  Measure(Measurement& result, std::unique_ptr<Sink> next) : result_(result), next_(std::move(next)) {}

  void write(Bytes data) override {
    next_->write(data);
    result_.bytes += data.size();
  }

  void finish() override { next_->finish(); }

 private:
  Measurement& result_;
  std::unique_ptr<Sink> next_;
};

// What several streams share.
class Rate {
 public:
  Rate(std::uint64_t bytes_per_second, Clock& clock, std::stop_token stop)
      : bytes_per_second_(bytes_per_second), clock_(clock), stop_(std::move(stop)), due_(clock.now()) {}

  // A tenth of a second, so that the rate is kept evenly and a stop is heard soon.
  [[nodiscard]] std::size_t slice() const {
    return std::max<std::size_t>(static_cast<std::size_t>(bytes_per_second_ / 10), 1);
  }

  void wait_after(std::size_t bytes) {
    const auto takes = std::chrono::microseconds(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e6 / static_cast<double>(bytes_per_second_)));
    std::chrono::milliseconds pause{0};
    {
      const std::lock_guard lock(mutex_);
      const Time now = clock_.now();
      // A stall is made up for, but not a long one; and the clock may be set back.
      due_ = std::clamp(due_, now - kMadeUp, now + kAhead) + takes;
      pause = std::chrono::duration_cast<std::chrono::milliseconds>(due_ - now);
    }
    if (pause.count() > 0 && !clock_.sleep(pause, stop_)) {
      throw Error(ErrorKind::kCancelled, "stopped on request");
    }
  }

 private:
  static constexpr std::chrono::seconds kMadeUp{1};
  static constexpr std::chrono::seconds kAhead{10};

  const std::uint64_t bytes_per_second_;
  Clock& clock_;
  const std::stop_token stop_;

  std::mutex mutex_;  // guards due_
  Time due_;          // when what has passed may have passed
};

class Throttle final : public Sink {
 public:
  Throttle(std::shared_ptr<Rate> rate, std::unique_ptr<Sink> next)
      : rate_(std::move(rate)), next_(std::move(next)) {}

  void write(Bytes data) override {
    while (!data.empty()) {
      const Bytes part = data.first(std::min(rate_->slice(), data.size()));
      next_->write(part);
      data = data.subspan(part.size());
      rate_->wait_after(part.size());
    }
  }

  void finish() override { next_->finish(); }

 private:
  const std::shared_ptr<Rate> rate_;  // by all chains of the stage
  std::unique_ptr<Sink> next_;
};

class OwnThread final : public Sink {
 public:
  OwnThread(std::size_t depth, std::unique_ptr<Sink> next)
      : depth_(std::max<std::size_t>(depth, 1)), next_(std::move(next)), worker_([this] { work(); }) {}

  ~OwnThread() override {
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
  }

  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  void write(Bytes data) override {
    if (data.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.size() < depth_ || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    queue_.emplace_back(data.begin(), data.end());
    changed_.notify_all();
  }

  void finish() override {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return finished_ || failure_; });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() noexcept {
    try {
      while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return abandoned_ || finishing_ || !queue_.empty(); });
        if (abandoned_) return;
        if (queue_.empty()) break;
        const std::vector<std::byte> data = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        changed_.notify_all();
        next_->write(data);
      }
      next_->finish();
      const std::lock_guard lock(mutex_);
      finished_ = true;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }

  std::size_t depth_;
  std::unique_ptr<Sink> next_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> queue_;
  bool finishing_ = false;
  bool finished_ = false;
  bool abandoned_ = false;
  std::exception_ptr failure_;

  std::jthread worker_;  // last: it ends before what it uses
};

}  // namespace

std::unique_ptr<Sink> chain(const std::vector<Stage>& stages, std::unique_ptr<Sink> end) {
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) end = (*stage)(std::move(end));
  return end;
}

Stage through(std::function<std::unique_ptr<Filter>()> make_filter) {
  return [make = std::move(make_filter)](std::unique_ptr<Sink> next) -> std::unique_ptr<Sink> {
    return std::make_unique<Through>(make(), std::move(next));
  };
}

Stage measure(Measurement& result) {
  return [&result](std::unique_ptr<Sink> next) -> std::unique_ptr<Sink> {
    return std::make_unique<Measure>(result, std::move(next));
  };
}

Stage on_own_thread(std::size_t depth) {
  return [depth](std::unique_ptr<Sink> next) -> std::unique_ptr<Sink> {
    return std::make_unique<OwnThread>(depth, std::move(next));
  };
}

Stage throttle(std::uint64_t bytes_per_second, Clock& clock, std::stop_token stop) {
  return [rate = std::make_shared<Rate>(bytes_per_second, clock, std::move(stop))](
             std::unique_ptr<Sink> next) -> std::unique_ptr<Sink> {
    return std::make_unique<Throttle>(rate, std::move(next));
  };
}

}  // namespace barman::stream
