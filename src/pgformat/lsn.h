// A position in the WAL, and timelines.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace barman::pgformat {

using Timeline = std::uint32_t;

struct Lsn {
  std::uint64_t value = 0;

  auto operator<=>(const Lsn&) const = default;
};

// PostgreSQL's notation: two upper-case hexadecimal halves without leading zeros, "0/3000028".
std::string format_lsn(Lsn lsn);

// Accepts either case and up to eight digits a half. Nothing for any other text.
std::optional<Lsn> parse_lsn(std::string_view text);

}  // namespace barman::pgformat
