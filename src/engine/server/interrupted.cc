#include "engine/server/interrupted.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/events.h"
#include "os/lock_file.h"

namespace barman::engine {

using catalog::BackupStatus;

namespace {

bool is_under_way(const catalog::BackupInfo& info) {
  return info.status == BackupStatus::kEmpty || info.status == BackupStatus::kStarted;
}

}  // namespace

std::vector<catalog::BackupId> settle_interrupted_backups(catalog::Catalog& catalog,
                                                          const std::string& server, Events& events) {
  std::vector<catalog::BackupId> settled;
  for (catalog::BackupInfo& info : catalog.list().backups) {
    if (!is_under_way(info)) continue;
    info.error = fmt::format(
        "failure: interrupted while {}: the process ended without a word (killed, or the machine went down)",
        info.status == BackupStatus::kEmpty ? "starting" : "copying files");
    info.status = BackupStatus::kFailed;
    catalog.save(info);
    events.warning(
        fmt::format("Backup {} of server {} was interrupted: the process that took it ended before it was "
                    "complete. It is now marked FAILED; remove it with: barman delete {} {}",
                    info.id.text, server, server, info.id.text));
    settled.push_back(info.id);
  }
  return settled;
}

std::vector<catalog::BackupId> settle_interrupted_backups(const Home& home, catalog::Catalog& catalog,
                                                          Events& events) {
  // What is under way in a bucket that others fill is theirs.
  if (home.backup_bucket && !home.is_active) return {};
  // The listing first: it is rare that there is anything to settle, and the lock is somebody else's to wait
  // for.
  if (std::ranges::none_of(catalog.list().backups, is_under_way)) return {};
  const auto lock = os::LockFile::try_acquire(home.backup_lock());
  if (!lock) return {};
  return settle_interrupted_backups(catalog, home.server, events);
}

}  // namespace barman::engine
