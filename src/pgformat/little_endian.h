// Numbers in the byte order of the machines whose clusters we read.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace barman::pgformat {

// Requires that `bytes` reaches to the end of the number.
template <std::unsigned_integral Number>
Number little_endian(std::span<const std::byte> bytes, std::size_t offset) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    const auto digit = std::to_integer<Number>(bytes[offset + i]);
    value = static_cast<Number>(value | static_cast<Number>(digit << (8 * i)));
  }
  return value;
}

}  // namespace barman::pgformat
