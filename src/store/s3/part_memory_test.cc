#include "store/s3/part_memory.h"

#include <gtest/gtest.h>

#include <future>
#include <utility>

#include "base/error.h"

namespace barman::store {
namespace {

using std::chrono_literals::operator""ms;
constexpr std::size_t kMi = 1UL << 20U;

bool waits(const std::future<std::unique_ptr<PartMemory::Part>>& taken) {
  return taken.wait_for(50ms) == std::future_status::timeout;
}

TEST(PartMemory, IsWhatIsSentAndOneMoreIfPartsAreSmall) {
  EXPECT_EQ(part_memory_bytes(20 * kMi, 2), 40 * kMi);
  EXPECT_EQ(part_memory_bytes(5 * kMi, 2), 15 * kMi);
  EXPECT_EQ(part_memory_bytes(5 * kMi, 0), 10 * kMi);
}

TEST(PartMemory, APartHoldsAsMuchAsThereIsRoomFor) {
  PartMemory memory(100);
  const auto part = memory.take(10);
  EXPECT_EQ(part->append(stream::bytes_of("0123456")), 7U);
  EXPECT_EQ(part->append(stream::bytes_of("789abc")), 3U);
  EXPECT_EQ(part->free(), 0U);
  EXPECT_EQ(stream::text_of(part->bytes()), "0123456789");
}

TEST(PartMemory, WhoWantsMoreThanThereIsWaitsForWhatIsSent) {
  PartMemory memory(20);
  auto first = memory.take(10);
  const auto second = memory.take(10);
  first->begin_to_send();
  auto third = std::async(std::launch::async, [&] { return memory.take(10); });
  EXPECT_TRUE(waits(third));
  first.reset();
  EXPECT_EQ(third.get()->room(), 10U);
  EXPECT_EQ(memory.peak_bytes(), 20U);
}

// A backup has an archive open while it sends another.
TEST(PartMemory, ThoseThatAreOnlyFilledKeepNobodyWaiting) {
  PartMemory memory(10);
  const auto of_one = memory.take(10);
  auto of_another = memory.take(10);
  EXPECT_EQ(memory.peak_bytes(), 20U);
  of_another->begin_to_send();
  auto next = std::async(std::launch::async, [&] { return memory.take(10); });
  EXPECT_TRUE(waits(next));
  of_another.reset();
  next.get().reset();
  EXPECT_EQ(memory.peak_bytes(), 20U);
}

TEST(PartMemory, APartThatIsLargerThanAllHasItForItself) {
  PartMemory memory(10);
  auto small = memory.take(10);
  small->begin_to_send();
  auto large = std::async(std::launch::async, [&] { return memory.take(30); });
  EXPECT_TRUE(waits(large));
  small.reset();
  large.get().reset();
  EXPECT_EQ(memory.peak_bytes(), 30U);
  (void)memory.take(10);
  (void)memory.take(8);
  EXPECT_EQ(memory.peak_bytes(), 30U);
}

TEST(PartMemory, WhatTheSystemDoesNotHaveIsAFailure) {
  PartMemory memory(10);
  EXPECT_THROW((void)memory.take(1UL << 60U), Error);
  EXPECT_EQ(memory.take(10)->room(), 10U);
}

}  // namespace
}  // namespace barman::store
