// Pages of relations and their checksums. Source: PostgreSQL's storage/bufpage.h and storage/checksum_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pgformat/lsn.h"

namespace barman::pgformat {

// What a page says of itself in its first bytes. Requires at least 24 of them.
struct PageHeader {
  Lsn lsn;  // of the last change
  std::uint16_t checksum = 0;
  std::uint16_t upper = 0;  // where its free space ends; 0: the page was never used
};
PageHeader parse_page_header(std::span<const std::byte> page);

// The checksum that a page of a cluster with data checksums has as block number `block` of its relation. The
// size of the page is a multiple of 128.
std::uint16_t page_checksum(std::span<const std::byte> page, std::uint32_t block);
// The same on any processor.
std::uint16_t page_checksum_portable(std::span<const std::byte> page, std::uint32_t block);

// Whether the server would take the page for its block: the checksum is right, or all of it is zero, as the
// pages are that a relation grows by.
bool is_sound_page(std::span<const std::byte> page, std::uint32_t block);

}  // namespace barman::pgformat
