// Lines of the index of archived WAL.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/xlogdb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace catalog = barman::catalog;
  const auto entry = catalog::parse_xlogdb_line({reinterpret_cast<const char*>(data), size});
  if (!entry || std::isnan(entry->time)) return 0;
  if (catalog::parse_xlogdb_line(catalog::format_xlogdb_line(*entry)) != entry) std::abort();
  return 0;
}
