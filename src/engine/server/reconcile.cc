#include "engine/server/reconcile.h"

#include <fmt/format.h>

#include "engine/events.h"
#include "os/lock_file.h"

namespace barman::engine {

void reconcile_with_bucket(const Home& home, catalog::Catalog& catalog, Events& events) {
  if (!home.backup_bucket || !home.is_active) return;
  const auto lock = os::LockFile::try_acquire(home.backup_lock());
  if (!lock) return;
  for (const catalog::BackupId& id : catalog.not_copied()) {
    // Whoever checks this backup now is about to save it.
    if (const auto id_lock = os::LockFile::try_acquire(home.id_lock(id))) catalog.copy(id);
  }
  for (const catalog::BackupId& id : catalog.adopt()) {
    events.info(fmt::format("Backup {} of server {} was found in the bucket and is in the catalogue now",
                            id.text, home.server));
  }
}

}  // namespace barman::engine
