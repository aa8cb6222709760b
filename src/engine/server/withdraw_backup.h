// Takes back what was stored in a bucket of a backup that came to nothing.
#pragma once

#include "catalog/backup_info.h"

namespace barman::store {
class Bucket;
}

namespace barman::engine {

// Removes all objects of the backup but the record, and withdraws uploads that were not finished. Nobody may
// be taking it. Throws kFailed naming what is left.
void withdraw_backup(store::Bucket& bucket, const catalog::BackupId& id);

}  // namespace barman::engine
