// barman archive-wal: moves WAL that has arrived into the archive.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/wal/archive.h"
#include "report/writer.h"

namespace barman::cli {

void register_archive_wal(CLI::App& app, Body& chosen) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("archive-wal", "Moves WAL that has arrived into the archive, once.");
  command->add_option("server_name", *name, "The server.")->required();
  command->callback([name, &chosen] {
    chosen = [name](Parts& parts) {
      const config::Server* server = select_server(parts, *name, {.inactive = Then::kSkip});
      if (server == nullptr) return 0;
      const engine::Home home = home_of(parts, *server);
      engine::archive_wal(home, engine::archive_settings(*server, parts.runner), engine::ArchiveTalk::kAlways,
                          parts.clock, parts.out, parts.stop);
      return 0;
    };
  });
}

}  // namespace barman::cli
