// The catalogue of a bucket, for programs that have nothing else: what the backups in it say of themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "store/memory_store.h"
#include "store/prefixed_store.h"

namespace barman::engine {

// A server's catalogue of which there is only the bucket: it remembers nothing of its own.
class CloudCatalogue {
 public:
  // `store` is rooted where the server has "base/" and "wals/"; it outlives this.
  explicit CloudCatalogue(store::ObjectStore& store);
  CloudCatalogue(const CloudCatalogue&) = delete;
  CloudCatalogue& operator=(const CloudCatalogue&) = delete;

  catalog::Catalog* operator->() { return &catalog_; }

 private:
  store::MemoryStore none_;  // for what others keep on their host
  store::PrefixedStore base_;
  catalog::Catalog catalog_;
};

// What a person wrote for a backup: an id, first, oldest, last, latest, last-failed or a name. As the
// original's programs have it, and other than for catalog::resolve(), a backup that failed counts for all of
// them, and one that is under way for its name. Nothing if there is none; throws kUsage for a name that
// nobody has, or several.
std::optional<catalog::BackupId> resolve_cloud_backup(const std::vector<catalog::BackupInfo>& backups,
                                                      const std::string& word, const std::string& server);

}  // namespace barman::engine
