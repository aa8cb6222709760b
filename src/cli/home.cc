#include "cli/home.h"

#include <fmt/format.h>

#include "base/error.h"
#include "config/settings.h"
#include "engine/server/open_bucket.h"

namespace barman::cli {

engine::Home home_of(const Parts& parts, const config::Server& server, Buckets buckets) {
  const auto open = [&parts](const config::Server& of, const std::string& url) {
    return engine::open_bucket(of, url, {.runner = parts.runner, .clock = parts.clock, .stop = parts.stop});
  };
  engine::Home home = engine::home_of(server, parts.configuration, open);
  if (buckets == Buckets::kRefused && (home.backup_bucket || home.wal_bucket)) {
    throw Error(ErrorKind::kFailed,
                fmt::format("server {} keeps backups or WAL in object storage, which this command does not "
                            "support yet; use a local path",
                            server.name));
  }
  return home;
}

}  // namespace barman::cli
