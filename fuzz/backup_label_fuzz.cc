#include <cstdint>

#include "base/error.h"
#include "pgformat/backup_label.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto label = barman::pgformat::parse_backup_label({reinterpret_cast<const char*>(data), size});
    if (!barman::pgformat::parse_segment(label.start_wal)) __builtin_trap();
  } catch (const barman::Error&) {
  }
  return 0;
}
