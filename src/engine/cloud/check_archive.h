// Whether an archive in a bucket may be used by a new server.
#pragma once

#include <optional>

#include "pgformat/lsn.h"
#include "store/object_store.h"

namespace barman::engine {

// Whether there is no WAL yet, or none of this timeline or a later one.
bool is_free_cloud_archive(store::ObjectStore& store, std::optional<pgformat::Timeline> from);

}  // namespace barman::engine
