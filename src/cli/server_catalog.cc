#include "cli/server_catalog.h"

#include <fmt/format.h>

#include "base/error.h"
#include "report/backups.h"

namespace barman::cli {

std::vector<catalog::BackupInfo> ServerCatalog::backups(report::Writer& out) const {
  catalog::Listing listing = catalog.list();
  report::report_warnings(home.server, catalog::warnings_of(listing), out);
  return std::move(listing.backups);
}

catalog::BackupInfo ServerCatalog::resolve(const std::string& word, report::Writer& out) const {
  if (catalog::is_backup_id(word)) {
    if (auto info = catalog.find({word})) return *std::move(info);
  } else if (auto info = catalog::resolve(backups(out), word)) {
    return *std::move(info);
  }
  throw Error(ErrorKind::kUsage, fmt::format("Unknown backup '{}' for server '{}'", word, home.server));
}

}  // namespace barman::cli
