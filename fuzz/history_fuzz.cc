#include <cstdint>

#include "base/error.h"
#include "pgformat/backup_label.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    if (barman::pgformat::parse_history({reinterpret_cast<const char*>(data), size}).empty())
      __builtin_trap();
  } catch (const barman::Error&) {
  }
  return 0;
}
