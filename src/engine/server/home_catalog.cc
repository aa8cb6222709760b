#include "engine/server/home_catalog.h"

#include <fmt/format.h>

#include "engine/events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "store/directory_store.h"
#include "store/prefixed_store.h"

namespace barman::engine {

std::unique_ptr<store::ObjectStore> base_store(const Home& home) {
  if (!home.backup_bucket) return std::make_unique<store::DirectoryStore>(home.base);
  return std::make_unique<store::PrefixedStore>(
      [bucket = home.backup_bucket]() -> store::ObjectStore& { return bucket->bucket(); }, kCloudBackups);
}

namespace {

catalog::BaseIs what_base_is(const Home& home) {
  if (!home.backup_bucket) return catalog::BaseIs::kOldPlace;
  return home.is_active ? catalog::BaseIs::kCopy : catalog::BaseIs::kOrigin;
}

catalog::Catalog::NotCopied teller(const Home& home, Events* events) {
  if (events == nullptr || !home.backup_bucket) return {};
  return [events, server = home.server, url = home.backup_bucket->url()](const catalog::BackupId& id,
                                                                         const std::string& reason) {
    events->error(
        fmt::format("what is new of backup {} of server {} is recorded here, but not yet in {}; the "
                    "next run of cron tries again: {}",
                    id.text, server, url, reason));
  };
}

}  // namespace

HomeCatalog::HomeCatalog(const Home& home, Events* events)
    : meta_(std::make_unique<store::DirectoryStore>(home.meta)),
      base_(base_store(home)),
      catalog_(*meta_, *base_, what_base_is(home), teller(home, events)) {}

}  // namespace barman::engine
