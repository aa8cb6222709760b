// CRC-32C (Castagnoli), as PostgreSQL's backup manifests use it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace barman::pgformat {

// Continues `crc` (0 to begin) with more bytes. Uses the processor's instruction where it has one.
std::uint32_t crc32c(std::uint32_t crc, const std::byte* data, std::size_t size);

// The same without that instruction.
std::uint32_t crc32c_by_table(std::uint32_t crc, const std::byte* data, std::size_t size);

}  // namespace barman::pgformat
