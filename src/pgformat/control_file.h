// global/pg_control, as far as a backup tool needs it. Source: PostgreSQL's catalog/pg_control.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace barman::pgformat {

// Where it is in a data directory. No server starts without it: whoever restores gives it this name last,
// when all else is durable.
inline constexpr std::string_view kControlFile = "global/pg_control";

struct ControlFile {
  std::uint64_t system_identifier = 0;
  std::uint32_t control_version = 0;
  std::uint32_t catalog_version = 0;
};

// Reads the leading fields. Throws kCorrupt if the bytes are too few or the version is not one of
// PostgreSQL 13 to 18 or newer little-endian.
ControlFile parse_control_file(std::span<const std::byte> bytes);

// Whether the file was read whole, and not while the server wrote it anew: its CRC is right.
bool is_whole_control_file(std::span<const std::byte> bytes);

}  // namespace barman::pgformat
