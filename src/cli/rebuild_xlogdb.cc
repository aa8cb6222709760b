// barman rebuild-xlogdb: makes the index of archived WAL anew from the archive.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/wal/wal_format.h"
#include "engine/wal/xlog_index.h"
#include "report/writer.h"

namespace barman::cli {

void register_rebuild_xlogdb(CLI::App& app, Body& chosen) {
  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand(
      "rebuild-xlogdb", "Makes the index of archived WAL anew from the files of the archive.");
  command->add_option("server_name", *names, "The servers, or all.")->required();
  command->callback([names, &chosen] {
    chosen = [names](Parts& parts) {
      for_each_server(parts, *names, {.inactive = Then::kSkip}, [&parts](const config::Server& server) {
        const engine::Home home = home_of(parts, server);
        parts.out.info(fmt::format("Rebuilding xlogdb for server {}", server.name));
        const engine::WalFormat format(server, parts.runner);
        const auto found = engine::XlogIndex(home, parts.out, &format).rebuild();
        parts.out.info(
            fmt::format("Done rebuilding xlogdb for server {} (history: {}, backup_labels: {}, wal_file: {})",
                        server.name, found.histories, found.backup_labels, found.segments));
      });
      return 0;
    };
  });
}

}  // namespace barman::cli
