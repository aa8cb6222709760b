// Deleting what the retention policy does not keep.
#pragma once

#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "engine/events.h"
#include "engine/server/bucket_remover.h"
#include "engine/server/home.h"
#include "engine/server/retention_settings.h"

namespace barman::engine {

struct RetentionPlan {
  std::vector<catalog::BackupId> obsolete;     // each before the one that it is built on
  std::vector<catalog::BackupId> orphans;      // records whose files are gone: never deleted
  std::vector<catalog::DamagedEntry> damaged;  // while there are any, nothing is obsolete
};

// What is to go now: OBSOLETE backups, and those whose deletion was cut short. Nothing without a policy.
RetentionPlan plan_retention(const Home& home, const catalog::Catalog& catalog,
                             const RetentionSettings& settings, Time now);

// Plans, and deletes under the server's backup lock; does nothing if another process holds it. Orphans and
// damaged records are warned of. `stop` is heeded between backups.
void enforce_retention(const Home& home, catalog::Catalog& catalog, const RetentionSettings& settings,
                       RemovalRules rules, Events& events, const Clock& clock, const std::stop_token& stop);

}  // namespace barman::engine
