// Clears a bucket of what backups left there that came to nothing.
#pragma once

#include <vector>

#include "catalog/backup_info.h"

namespace barman::store {
class Bucket;
}

namespace barman::engine {

class Events;
struct Home;

// What runs that were killed, or met a bucket that was away, left there: uploads that nobody will finish, and
// objects of those of the `existing` backups that failed before all was copied, or are among the `settled`,
// whose process died. Records stay. However many there are, the bucket is listed once. What cannot be done
// now is a warning. The caller holds the server's backup lock. Throws kCancelled only.
void sweep(store::Bucket& bucket, const Home& home, const std::vector<catalog::BackupInfo>& existing,
           const std::vector<catalog::BackupId>& settled, Events& events);

// "What was stored of backup … could not be taken back: …", and what to do.
void tell_not_taken_back(const Home& home, const catalog::BackupId& id, const char* reason, Events& events);

}  // namespace barman::engine
