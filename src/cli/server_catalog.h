// One server's home and catalogue, opened: what most commands start from.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "cli/home.h"
#include "engine/server/home_catalog.h"
#include "report/writer.h"

namespace barman::cli {

class ServerCatalog {
 public:
  ServerCatalog(const config::Server& server, const Parts& parts)
      : home(home_of(parts, server)), opened_(home, &parts.out), catalog(*opened_) {}

  // All backups that can be read; the others are named in warnings.
  [[nodiscard]] std::vector<catalog::BackupInfo> backups(report::Writer& out) const;

  // The backup that `word` means. Throws kUsage: "Unknown backup '<word>' for server '<server>'".
  [[nodiscard]] catalog::BackupInfo resolve(const std::string& word, report::Writer& out) const;

  engine::Home home;

 private:
  engine::HomeCatalog opened_;

 public:
  catalog::Catalog& catalog;
};

}  // namespace barman::cli
