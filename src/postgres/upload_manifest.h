// UPLOAD_MANIFEST: what makes the next BASE_BACKUP of a connection an incremental one (PostgreSQL 17 and
// later).
#pragma once

#include "postgres/connection.h"

namespace barman::postgres {

inline constexpr int kFirstWithIncrementals = 170000;

// Sends the manifest of the backup that is built on. Throws kFailed if the server is too old or does not
// accept the manifest.
void upload_manifest(Connection& connection, stream::Source& manifest, SocketWait& wait);

// What the server said to an incremental backup, with what to do about it.
ServerError explain_incremental_failure(const ServerError& failure);

}  // namespace barman::postgres
