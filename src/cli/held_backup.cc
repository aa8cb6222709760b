#include "cli/held_backup.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"

namespace barman::cli {

os::LockFile hold_backup(const ServerCatalog& opened, const catalog::BackupInfo& backup, Parts& parts) {
  constexpr int kAttempts = 50;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (auto lock = os::LockFile::try_share(opened.home.id_lock(backup.id))) return std::move(*lock);
    if (!parts.clock.sleep(std::chrono::milliseconds(200), parts.stop)) break;
  }
  throw Error(
      ErrorKind::kBusy,
      fmt::format("backup {} is being deleted or checked by another process: wait for it and try again",
                  backup.id.text));
}

}  // namespace barman::cli
