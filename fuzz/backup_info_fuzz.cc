// backup.info: whatever is read is written and read back as the same value.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "catalog/backup_info.h"
#include "catalog/timestamp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace catalog = barman::catalog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)catalog::parse_timestamp(text);
  try {
    const catalog::BackupId id{"20260101T000000"};
    const std::string once = catalog::format_backup_info(catalog::parse_backup_info(id, text));
    if (catalog::format_backup_info(catalog::parse_backup_info(id, once)) != once) std::abort();
  } catch (const barman::Error& e) {
    if (e.kind() != barman::ErrorKind::kCorrupt) std::abort();
  }
  return 0;
}
