// What the record of a backup has from the server, whichever way its files are copied.
#pragma once

#include <string>

#include "catalog/backup_info.h"
#include "postgres/replication.h"

namespace barman::engine {

struct ServerFacts;

// What the server says of itself.
void record_server(catalog::BackupInfo& info, const ServerFacts& facts);

// The text of backup_label, which decides where the backup begins; after record_server(). Throws kCorrupt.
void record_label(catalog::BackupInfo& info, const std::string& text);

// The position that the server gave as the backup's end, in the segment that holds the last byte before it;
// after record_server().
void record_end(catalog::BackupInfo& info, const postgres::BackupPosition& end, catalog::Timestamp now);

}  // namespace barman::engine
