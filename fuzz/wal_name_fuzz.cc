#include <algorithm>
#include <cstdint>
#include <string>

#include "pgformat/wal_name.h"

// A segment's name that is read and written again is the same but for its case.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = barman::pgformat::parse_wal_name(text);
  if (name && name->kind == barman::pgformat::WalKind::kSegment) {
    std::string upper(text);
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    if (format_segment(name->segment) != upper) __builtin_trap();
  }
  (void)barman::pgformat::parse_lsn(text);
  return 0;
}
