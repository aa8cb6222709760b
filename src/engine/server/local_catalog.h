// The catalogue of a server whose home is a folder.
#pragma once

#include "catalog/catalog.h"
#include "engine/server/home.h"
#include "store/directory_store.h"

namespace barman::engine {

class LocalCatalog {
 public:
  explicit LocalCatalog(const Home& home) : meta_(home.meta), base_(home.base), catalog_(meta_, base_) {}
  LocalCatalog(const LocalCatalog&) = delete;
  LocalCatalog& operator=(const LocalCatalog&) = delete;

  catalog::Catalog& operator*() { return catalog_; }
  catalog::Catalog* operator->() { return &catalog_; }

 private:
  store::DirectoryStore meta_;
  store::DirectoryStore base_;
  catalog::Catalog catalog_;
};

}  // namespace barman::engine
