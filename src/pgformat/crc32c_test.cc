#include "pgformat/crc32c.h"

#include <gtest/gtest.h>

#include <vector>

namespace barman::pgformat {
namespace {

TEST(Crc32c, TheInstructionAndTheTableAgreeAtEveryLengthAndAlignment) {
  std::vector<std::byte> data(40'000);
  std::uint32_t seed = 1;
  for (std::byte& byte : data) byte = static_cast<std::byte>((seed = seed * 1664525 + 1013904223) >> 24);
  for (std::size_t size = 0; size < 13'000; size += size < 100 ? 1 : 97) {
    const std::byte* start = data.data() + size % 9;
    ASSERT_EQ(crc32c(0, start, size), crc32c_by_table(0, start, size)) << size;
    ASSERT_EQ(crc32c(0x12345678, start, size), crc32c_by_table(0x12345678, start, size)) << size;
  }
  EXPECT_EQ(crc32c(0, data.data(), data.size()), crc32c_by_table(0, data.data(), data.size()));
}

}  // namespace
}  // namespace barman::pgformat
