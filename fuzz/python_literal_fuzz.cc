// Python literals: what is read is written so that it reads as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "catalog/python_literal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace catalog = barman::catalog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = catalog::format_literal(catalog::parse_literal(text));
    if (catalog::format_literal(catalog::parse_literal(once)) != once) std::abort();
  } catch (const barman::Error& e) {
    if (e.kind() != barman::ErrorKind::kCorrupt) std::abort();
  }
  return 0;
}
