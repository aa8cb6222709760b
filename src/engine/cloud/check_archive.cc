#include "engine/cloud/check_archive.h"

#include "engine/server/cloud_keys.h"

namespace barman::engine {

bool is_free_cloud_archive(store::ObjectStore& store, std::optional<pgformat::Timeline> from) {
  bool is_free = true;
  store.list(std::string(kCloudWals) + "/", [&](const store::ObjectInfo& object) {
    const auto wal = parse_wal_key(object.key);
    is_free = !wal || (from && wal->parsed.segment.timeline < *from);
    return is_free;
  });
  return is_free;
}

}  // namespace barman::engine
