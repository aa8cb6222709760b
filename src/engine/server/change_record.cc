#include "engine/server/change_record.h"

#include "os/lock_file.h"

namespace barman::engine {

std::optional<catalog::BackupInfo> change_record(const Home& home, catalog::Catalog& catalog,
                                                 const catalog::BackupId& id,
                                                 const std::function<bool(catalog::BackupInfo&)>& change) {
  const auto lock = os::LockFile::acquire(home.records_lock());
  auto info = catalog.find(id);
  if (info && change(*info)) catalog.save(*info);
  return info;
}

}  // namespace barman::engine
