#include "store/parallel_read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/expect_failure.h"
#include "store/memory_store.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

std::string numbered(std::size_t size) {
  std::string text;
  for (std::uint32_t i = 0; text.size() < size; ++i) text += std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

// Counts reads, and makes trouble.
class Watched final : public ObjectStore {
 public:
  std::unique_ptr<stream::Sink> create(std::string_view key, CreateOptions options) override {
    return memory.create(key, std::move(options));
  }
  bool read(std::string_view key, ByteRange range, stream::Sink& into) override {
    ++reads;
    if (range.offset == fails_at) throw Error(ErrorKind::kTransient, "the connection broke");
    if (range.offset == vanishes_at) return false;
    return memory.read(key, range, into);
  }
  std::optional<ObjectInfo> stat(std::string_view key) override { return memory.stat(key); }
  void list(std::string_view prefix, const Visit& visit) override { memory.list(prefix, visit); }
  std::vector<std::string> children(std::string_view folder) override { return memory.children(folder); }
  bool remove(std::string_view key) override { return memory.remove(key); }

  MemoryStore memory;
  std::atomic<int> reads = 0;
  std::uint64_t fails_at = 1;
  std::uint64_t vanishes_at = 1;
};

class ParallelReadTest : public testing::Test {
 protected:
  bool read(std::uint64_t size) {
    stream::AppendTo sink(out);
    return read_in_parallel(store, "key", size, {.at_a_time = 3, .range_bytes = 1000}, sink,
                            stop.get_token());
  }
  Watched store;
  std::string out;
  std::stop_source stop;
};

TEST_F(ParallelReadTest, RangesComeInOrder) {
  for (const std::size_t size : {0U, 1U, 999U, 1000U, 1001U, 3000U, 100'001U}) {
    const std::string text = numbered(size);
    write_text(store, "key", text);
    out.clear();
    store.reads = 0;
    EXPECT_TRUE(read(size));
    EXPECT_EQ(out, text) << size;
    EXPECT_EQ(store.reads, std::max<int>(1, static_cast<int>((size + 999) / 1000)));
  }
}

// Takes a range only when those behind it are being fetched.
class Demanding final : public stream::Sink {
 public:
  Demanding(const std::atomic<int>& reads, int all) : reads_(reads), all_(all) {}
  void write(stream::Bytes /*data*/) override {
    const int wanted = std::min(all_, ++taken_ + 3);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (reads_ < wanted && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_GE(reads_, wanted);
  }
  void finish() override {}

 private:
  const std::atomic<int>& reads_;
  const int all_;
  int taken_ = 0;
};

TEST_F(ParallelReadTest, AsManyAreFetchedWhileOneIsWritten) {
  write_text(store, "key", numbered(10'000));
  Demanding sink(store.reads, 10);
  EXPECT_TRUE(read_in_parallel(store, "key", 10'000, {.at_a_time = 3, .range_bytes = 1000}, sink));
}

TEST_F(ParallelReadTest, WhatIsNotThereIsNotThere) {
  EXPECT_FALSE(read(5000));
  EXPECT_FALSE(read(10));
  EXPECT_EQ(out, "");
}

TEST_F(ParallelReadTest, AFailureOfAnyRangeIsToldAfterThoseBeforeIt) {
  const std::string text = numbered(10'000);
  write_text(store, "key", text);
  for (const std::uint64_t at : {0U, 4000U, 9000U}) {
    store.fails_at = at;
    out.clear();
    EXPECT_EQ(failure(ErrorKind::kTransient, [&] { read(text.size()); }), "the connection broke");
    EXPECT_EQ(out, text.substr(0, at));
  }
}

TEST_F(ParallelReadTest, AnObjectThatVanishesOrIsShorterIsNone) {
  write_text(store, "key", numbered(10'000));
  store.vanishes_at = 5000;
  failure(ErrorKind::kFailed, [&] { read(10'000); });
  store.vanishes_at = 1;
  failure(ErrorKind::kCorrupt, [&] { read(10'500); });
}

TEST_F(ParallelReadTest, AStopIsHeard) {
  write_text(store, "key", numbered(10'000));
  stop.request_stop();
  failure(ErrorKind::kCancelled, [&] { read(10'000); });
}

}  // namespace
}  // namespace barman::store
