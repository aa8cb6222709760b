#include "pgformat/page.h"

#include <gtest/gtest.h>

#include <vector>

namespace barman::pgformat {
namespace {

constexpr std::size_t kSize = 8192;

std::vector<std::byte> page_of(std::size_t size = kSize) {
  std::vector<std::byte> page(size);
  for (std::size_t i = 0; i < size; ++i) page[i] = static_cast<std::byte>(i * 7 + i / 256 * 13);
  return page;
}

void put_checksum(std::vector<std::byte>& page, std::uint16_t checksum) {
  page[8] = static_cast<std::byte>(checksum);
  page[9] = static_cast<std::byte>(checksum >> 8U);
}

// What page_checksum() of the extension pageinspect says of these pages.
TEST(Page, KnownChecksums) {
  EXPECT_EQ(page_checksum(page_of(), 0), 7662);
  EXPECT_EQ(page_checksum(page_of(), 1), 7663);
  EXPECT_EQ(page_checksum(page_of(), 131072), 7660);
}

TEST(Page, EveryProcessorComputesTheSame) {
  for (const std::size_t size : {1024U, 4096U, 8192U, 32768U}) {
    for (const std::uint32_t block : {0U, 77U, 4294967295U}) {
      EXPECT_EQ(page_checksum(page_of(size), block), page_checksum_portable(page_of(size), block)) << size;
    }
  }
}

TEST(Page, TheFieldItselfDoesNotCount) {
  auto page = page_of();
  put_checksum(page, 1);
  const auto one = page_checksum(page, 3);
  put_checksum(page, 65535);
  EXPECT_EQ(page_checksum(page, 3), one);
}

TEST(Page, Header) {
  auto page = page_of();
  for (std::size_t i = 0; i < 16; ++i) page[i] = static_cast<std::byte>(i + 1);
  const PageHeader header = parse_page_header(page);
  EXPECT_EQ(header.lsn.value, 0x0403020108070605U);
  EXPECT_EQ(header.checksum, 0x0A09);
  EXPECT_EQ(header.upper, 0x100F);
}

TEST(Page, SoundIsWhatIsInItsPlaceOrAllZero) {
  auto page = page_of();
  put_checksum(page, page_checksum(page, 5));
  EXPECT_TRUE(is_sound_page(page, 5));
  EXPECT_FALSE(is_sound_page(page, 6));  // written to the wrong place
  for (const std::size_t at : {0U, 8U, 100U, 8191U}) {
    auto damaged = page;
    damaged[at] ^= std::byte{1};
    EXPECT_FALSE(is_sound_page(damaged, 5)) << at;
  }
  std::vector<std::byte> zeroes(kSize);
  EXPECT_TRUE(is_sound_page(zeroes, 5));
  zeroes.back() = std::byte{1};  // a page that was never used holds nothing
  EXPECT_FALSE(is_sound_page(zeroes, 5));
}

}  // namespace
}  // namespace barman::pgformat
