// Reading an object, going on where a connection broke.
#pragma once

#include <string>
#include <vector>

#include "store/object_store.h"
#include "store/s3/client.h"

namespace barman::store {

// As ObjectStore::read. `headers` go with each request. What arrived is never asked for again; an object that
// was replaced meanwhile is kFailed.
bool ranged_read(S3Client& client, const std::string& key, const std::vector<Header>& headers,
                 ByteRange range, stream::Sink& into);

}  // namespace barman::store
