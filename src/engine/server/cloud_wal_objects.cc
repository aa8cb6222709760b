#include "engine/server/cloud_wal_objects.h"

namespace barman::engine {

void list_cloud_wal(store::ObjectStore& store, const std::string& prefix, const VisitCloudWal& visit) {
  store.list(prefix, [&](const store::ObjectInfo& object) {
    const auto wal = parse_wal_key(object.key);
    return !wal || visit(*wal, object);
  });
}

}  // namespace barman::engine
