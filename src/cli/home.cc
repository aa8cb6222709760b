#include "cli/home.h"

#include <fmt/format.h>

#include "config/settings.h"
#include "engine/server/open_bucket.h"

namespace barman::cli {

engine::Home home_of(const Parts& parts, const config::Server& server, const std::stop_token& stop) {
  const auto open = [&parts, stop](const config::Server& of, const std::string& url) {
    return engine::open_bucket(of, url, {.runner = parts.runner, .clock = parts.clock, .stop = stop});
  };
  return engine::home_of(server, parts.configuration, open);
}

engine::Home home_of(const Parts& parts, const config::Server& server) {
  return home_of(parts, server, parts.stop);
}

Error no_bucket(const config::Server& server) {
  return {ErrorKind::kUsage,
          fmt::format(
              "nothing of server {} is in a bucket; basebackups_directory and wals_directory say where its "
              "things are",
              server.name)};
}

}  // namespace barman::cli
