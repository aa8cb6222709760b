// Bytes as hexadecimal digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace barman::pgformat {

std::string format_hex(std::span<const std::byte> bytes);

// Either case. Nothing if the digits are not pairs of hexadecimal ones.
std::optional<std::string> parse_hex(std::string_view digits);

// A CRC-32C the way manifests have it: its four bytes, least significant first.
std::string format_crc32c(std::uint32_t crc);
std::optional<std::uint32_t> parse_crc32c(std::string_view digits);

}  // namespace barman::pgformat
