#include "pgformat/wal_page.h"

#include <bit>

#include "pgformat/little_endian.h"

namespace barman::pgformat {

namespace {

// XLOG_PAGE_MAGIC grows with every version: 13 has 0xD106, 14 0xD10D, 15 0xD110, 16 0xD113, 17 0xD116,
// 18 0xD118. Those to come are let in; older ones have another layout of records, not of this header, but
// are not supported.
constexpr std::uint16_t kMagicOf13 = 0xD106;
constexpr std::uint16_t kLastOfFamily = 0xD1FF;

constexpr std::uint16_t kLongHeader = 0x0002;

constexpr std::uint32_t kSmallestSegment = 1U << 20;
constexpr std::uint32_t kLargestSegment = 1U << 30;

}  // namespace

std::optional<WalHeader> parse_wal_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kWalHeaderSize) return std::nullopt;
  const auto info = little_endian<std::uint16_t>(bytes, 2);
  const WalHeader header{.magic = little_endian<std::uint16_t>(bytes, 0),
                         .timeline = little_endian<std::uint32_t>(bytes, 4),
                         .page_address = Lsn{little_endian<std::uint64_t>(bytes, 8)},
                         .system_identifier = little_endian<std::uint64_t>(bytes, 24),
                         .segment_size = little_endian<std::uint32_t>(bytes, 32),
                         .block_size = little_endian<std::uint32_t>(bytes, 36)};
  if (header.magic < kMagicOf13 || header.magic > kLastOfFamily) return std::nullopt;
  if ((info & kLongHeader) == 0) return std::nullopt;
  if (!std::has_single_bit(header.segment_size) || header.segment_size < kSmallestSegment ||
      header.segment_size > kLargestSegment) {
    return std::nullopt;
  }
  if (!std::has_single_bit(header.block_size)) return std::nullopt;
  return header;
}

}  // namespace barman::pgformat
