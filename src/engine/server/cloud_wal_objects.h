// The WAL files among the objects of a bucket.
#pragma once

#include <functional>
#include <string>

#include "engine/server/cloud_keys.h"
#include "store/object_store.h"

namespace barman::engine {

// Returns whether to go on.
using VisitCloudWal = std::function<bool(const CloudWal& wal, const store::ObjectInfo& object)>;

// Visits those whose keys begin with `prefix`, ascending by key. One name may come in several forms, of which
// the first is the one to read. What is no WAL file is passed over.
void list_cloud_wal(store::ObjectStore& store, const std::string& prefix, const VisitCloudWal& visit);

}  // namespace barman::engine
