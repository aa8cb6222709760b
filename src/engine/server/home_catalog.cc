#include "engine/server/home_catalog.h"

#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "store/directory_store.h"
#include "store/prefixed_store.h"

namespace barman::engine {

namespace {

std::unique_ptr<store::ObjectStore> base_of(const Home& home) {
  if (!home.backup_bucket) return std::make_unique<store::DirectoryStore>(home.base);
  return std::make_unique<store::PrefixedStore>(
      [bucket = home.backup_bucket]() -> store::ObjectStore& { return bucket->bucket(); }, kCloudBackups);
}

catalog::BaseIs what_base_is(const Home& home) {
  if (!home.backup_bucket) return catalog::BaseIs::kOldPlace;
  return home.is_active ? catalog::BaseIs::kCopy : catalog::BaseIs::kOrigin;
}

}  // namespace

HomeCatalog::HomeCatalog(const Home& home)
    : meta_(std::make_unique<store::DirectoryStore>(home.meta)),
      base_(base_of(home)),
      catalog_(*meta_, *base_, what_base_is(home)) {}

}  // namespace barman::engine
