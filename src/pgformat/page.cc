#include "pgformat/page.h"

#include <array>
#include <cstring>

#include "pgformat/little_endian.h"

namespace barman::pgformat {
namespace {

constexpr std::size_t kChecksumOffset = 8;
constexpr std::size_t kUpperOffset = 14;

// 32 sums side by side, each an FNV-1a hash of every 32nd word that also lets the high bits act on the low
// ones.
constexpr std::size_t kSums = 32;
constexpr std::uint32_t kPrime = 16777619;
constexpr std::size_t kRow = kSums * sizeof(std::uint32_t);
constexpr std::array<std::uint32_t, kSums> kStart{
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

// Eight sums, which the compiler computes by whatever the processor has.
using Eight = std::uint32_t __attribute__((vector_size(32)));
using Sums = std::array<Eight, kSums / 8>;

// Next word of each.
[[gnu::always_inline]] inline void mix(Sums& sums, const std::byte* row) {
  for (Eight& sum : sums) {
    Eight words;
    std::memcpy(&words, row, sizeof words);
    row += sizeof words;
    sum ^= words;
    sum = (sum * kPrime) ^ (sum >> 17);
  }
}

[[gnu::always_inline]] inline std::uint16_t checksum(std::span<const std::byte> page, std::uint32_t block) {
  Sums sums;
  std::memcpy(sums.data(), kStart.data(), kRow);
  std::array<std::byte, kRow> row{};
  std::memcpy(row.data(), page.data(), kRow);
  row[kChecksumOffset] = row[kChecksumOffset + 1] = std::byte{0};  // counts as zero itself
  mix(sums, row.data());
  for (std::size_t at = kRow; at + kRow <= page.size(); at += kRow) mix(sums, page.data() + at);
  row = {};
  mix(sums, row.data());
  mix(sums, row.data());
  std::uint32_t result = block;
  for (const Eight& eight : sums) {
    for (std::size_t i = 0; i < 8; ++i) result ^= eight[i];
  }
  return static_cast<std::uint16_t>(result % 65535 + 1);  // never zero
}

bool is_zero(std::span<const std::byte> page) {
  return page.front() == std::byte{0} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

}  // namespace

PageHeader parse_page_header(std::span<const std::byte> page) {
  const std::uint64_t high = little_endian<std::uint32_t>(page, 0);
  return {.lsn = {high << 32U | little_endian<std::uint32_t>(page, 4)},
          .checksum = little_endian<std::uint16_t>(page, kChecksumOffset),
          .upper = little_endian<std::uint16_t>(page, kUpperOffset)};
}

std::uint16_t page_checksum_portable(std::span<const std::byte> page, std::uint32_t block) {
  return checksum(page, block);
}

#if defined(__x86_64__)

namespace {

// The same code; the compiler makes it several times as fast.
__attribute__((target("avx2"))) std::uint16_t checksum_by_avx2(std::span<const std::byte> page,
                                                               std::uint32_t block) {
  return checksum(page, block);
}

}  // namespace

std::uint16_t page_checksum(std::span<const std::byte> page, std::uint32_t block) {
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  return kHasAvx2 ? checksum_by_avx2(page, block) : checksum(page, block);
}

#else

std::uint16_t page_checksum(std::span<const std::byte> page, std::uint32_t block) {
  return checksum(page, block);
}

#endif

bool is_sound_page(std::span<const std::byte> page, std::uint32_t block) {
  const PageHeader header = parse_page_header(page);
  return header.upper == 0 ? is_zero(page) : header.checksum == page_checksum(page, block);
}

}  // namespace barman::pgformat
