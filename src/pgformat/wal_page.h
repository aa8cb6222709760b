// The header at the front of a WAL segment. Source: PostgreSQL's access/xlog_internal.h
// (XLogLongPageHeaderData).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "pgformat/lsn.h"

namespace barman::pgformat {

struct WalHeader {
  std::uint16_t magic = 0;
  Timeline timeline = 0;
  Lsn page_address;
  std::uint64_t system_identifier = 0;
  std::uint32_t segment_size = 0;
  std::uint32_t block_size = 0;
};

inline constexpr std::size_t kWalHeaderSize = 40;

// Nothing if the bytes are fewer than kWalHeaderSize or do not start with a long page header of a
// known magic.
std::optional<WalHeader> parse_wal_header(std::span<const std::byte> bytes);

}  // namespace barman::pgformat
