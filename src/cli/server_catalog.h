// One server's home and catalogue, opened: what most commands start from.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "cli/command.h"
#include "engine/server/home.h"
#include "engine/server/local_catalog.h"

namespace barman::cli {

class ServerCatalog {
 public:
  ServerCatalog(const config::Server& server, const config::Configuration& configuration)
      : home(engine::home_of(server, configuration)), local_(home), catalog(*local_) {}

  // All backups that can be read; the others are named in warnings.
  [[nodiscard]] std::vector<catalog::BackupInfo> backups(report::Writer& out) const;

  // The backup that `word` means. Throws kUsage: "Unknown backup '<word>' for server '<server>'".
  [[nodiscard]] catalog::BackupInfo resolve(const std::string& word, report::Writer& out) const;

  engine::Home home;

 private:
  engine::LocalCatalog local_;

 public:
  catalog::Catalog& catalog;
};

}  // namespace barman::cli
