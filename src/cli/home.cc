#include "cli/home.h"

#include "config/settings.h"
#include "engine/server/open_bucket.h"

namespace barman::cli {

engine::Home home_of(const Parts& parts, const config::Server& server) {
  const auto open = [&parts](const config::Server& of, const std::string& url) {
    return engine::open_bucket(of, url, {.runner = parts.runner, .clock = parts.clock, .stop = parts.stop});
  };
  return engine::home_of(server, parts.configuration, open);
}

}  // namespace barman::cli
