#include "codec/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace barman::codec {

namespace {

using stream::Bytes;

// From the thread that writes to the thread that runs the program.
class Channel final : public stream::Source {
 public:
  // Returns false if nobody reads any more.
  bool write(Bytes data) {
    std::unique_lock lock(mutex_);
    while (!data.empty()) {
      changed_.wait(lock, [this] { return filled_ < kRoom || reader_gone_; });
      if (reader_gone_) return false;
      const std::size_t part = std::min(data.size(), kRoom - filled_);
      const std::size_t at = (begin_ + filled_) % kRoom;
      const std::size_t straight = std::min(part, kRoom - at);
      stream::copy(data.first(straight), stream::Buffer(ring_).subspan(at));
      stream::copy(data.subspan(straight, part - straight), ring_);
      filled_ += part;
      data = data.subspan(part);
      changed_.notify_all();
    }
    return true;
  }

  void end() { set(ended_); }
  void abandon() { set(abandoned_); }
  void leave() { set(reader_gone_); }

  [[nodiscard]] std::size_t read(stream::Buffer into) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return filled_ != 0 || ended_ || abandoned_; });
    if (abandoned_) throw Error(ErrorKind::kCancelled, "abandoned");
    const std::size_t size = std::min({into.size(), filled_, kRoom - begin_});
    stream::copy(stream::Bytes(ring_).subspan(begin_, size), into);
    begin_ = (begin_ + size) % kRoom;
    filled_ -= size;
    changed_.notify_all();
    return size;
  }

 private:
  static constexpr std::size_t kRoom = 512 * 1024;

  void set(bool& what) {
    const std::lock_guard lock(mutex_);
    what = true;
    changed_.notify_all();
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::byte> ring_ = std::vector<std::byte>(kRoom);
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
  bool ended_ = false;
  bool abandoned_ = false;
  bool reader_gone_ = false;
};

// Keeps the end of what is written.
class LastWords final : public stream::Sink {
 public:
  void write(Bytes data) override {
    text_ += stream::text_of(data);
    if (text_.size() > 2 * kKept) text_.erase(0, text_.size() - kKept);
  }
  void finish() override {}
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t kKept = 32 * 1024;
  std::string text_;
};

class ProgramSink final : public stream::Sink {
 public:
  ProgramSink(os::ProcessRunner& runner, Program program, std::unique_ptr<Sink> next)
      : runner_(runner), program_(std::move(program)), next_(std::move(next)) {}

  ~ProgramSink() override {
    channel_.abandon();
    thread_.request_stop();
  }

  ProgramSink(const ProgramSink&) = delete;
  ProgramSink& operator=(const ProgramSink&) = delete;

  void write(Bytes data) override {
    start();
    // A program that succeeds without having read everything did not need the rest.
    if (!channel_.write(data)) settle();
  }

  void finish() override {
    start();
    channel_.end();
    settle();
    next_->finish();
  }

 private:
  void start() {
    if (started_) return;
    started_ = true;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  void run(const std::stop_token& stop) noexcept {
    try {
      os::Pipes pipes{.in = &channel_, .out = next_.get(), .err = &words_};
      if (program_.secret) pipes.secret = program_.secret->text();
      exit_ = runner_.run(program_.command, pipes, stop);
    } catch (...) {
      failure_ = std::current_exception();
    }
    channel_.leave();
  }

  // Waits for the program's end, and throws unless it was a success.
  void settle() {
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    program_.judge(exit_, words_.text());
  }

  os::ProcessRunner& runner_;
  Program program_;
  std::unique_ptr<Sink> next_;
  Channel channel_;
  bool started_ = false;

  // The thread's until it ends.
  LastWords words_;
  os::Exit exit_;
  std::exception_ptr failure_;

  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace

void require_success(const std::string& program, const os::Exit& exit, const std::string& err) {
  if (exit.ok()) return;
  constexpr std::size_t kQuoted = 500;
  const std::size_t end = err.find_last_not_of(" \n");
  std::string words = end == std::string::npos ? "" : err.substr(0, end + 1);
  if (words.size() > kQuoted) words = "…" + words.substr(words.size() - kQuoted);
  throw Error(ErrorKind::kFailed,
              fmt::format("{} {}{}{}", program,
                          exit.signal != 0 ? fmt::format("was ended by signal {}", exit.signal)
                                           : fmt::format("ended with exit status {}", exit.status),
                          words.empty() ? "" : ": ", words));
}

stream::Stage through_program(os::ProcessRunner& runner, Program program) {
  return [&runner,
          program = std::move(program)](std::unique_ptr<stream::Sink> next) -> std::unique_ptr<stream::Sink> {
    return std::make_unique<ProgramSink>(runner, program, std::move(next));
  };
}

}  // namespace barman::codec
