#include "pgformat/control_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "pgformat/crc32c.h"

namespace barman::pgformat {
namespace {

// A file of 8 KiB whose fields take `size` bytes, their CRC in the last four of these.
std::vector<std::byte> file_of(std::size_t size) {
  std::vector<std::byte> file(8192);
  for (std::size_t i = 0; i < size - 4; ++i) file[i] = static_cast<std::byte>(i * 31 + 7);
  const std::uint32_t crc = crc32c(0, file.data(), size - 4);
  for (std::size_t i = 0; i < 4; ++i) file[size - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
  return file;
}

TEST(ControlFile, WholeIsOneWithTheRightCrc) {
  EXPECT_TRUE(is_whole_control_file(file_of(292)));  // up to PostgreSQL 17
  EXPECT_TRUE(is_whole_control_file(file_of(296)));  // 18
  for (const std::size_t at : {0U, 100U, 287U, 288U, 291U}) {
    auto file = file_of(292);
    file[at] ^= std::byte{0x10};
    EXPECT_FALSE(is_whole_control_file(file)) << at;
  }
}

TEST(ControlFile, TooShortIsNotWhole) {
  const auto file = file_of(292);
  for (const std::size_t size : {0U, 3U, 256U, 288U, 291U}) {
    EXPECT_FALSE(is_whole_control_file(std::span(file).first(size))) << size;
  }
  EXPECT_TRUE(is_whole_control_file(std::span(file).first(292)));
}

}  // namespace
}  // namespace barman::pgformat
