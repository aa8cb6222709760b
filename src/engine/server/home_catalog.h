// The catalogue of a server's home: its records in a folder, and with its base backups where these are in a
// bucket.
#pragma once

#include <memory>

#include "catalog/catalog.h"
#include "engine/server/home.h"

namespace barman::engine {

class Events;

// The place of its base backups, rooted where each has its folder.
std::unique_ptr<store::ObjectStore> base_store(const Home& home);

class HomeCatalog {
 public:
  // A record whose copy the bucket does not take is an error of `events`; without these it is thrown.
  explicit HomeCatalog(const Home& home, Events* events = nullptr);
  HomeCatalog(const HomeCatalog&) = delete;
  HomeCatalog& operator=(const HomeCatalog&) = delete;

  catalog::Catalog& operator*() { return catalog_; }
  catalog::Catalog* operator->() { return &catalog_; }

 private:
  const std::unique_ptr<store::ObjectStore> meta_;
  const std::unique_ptr<store::ObjectStore> base_;
  catalog::Catalog catalog_;
};

}  // namespace barman::engine
