// barman list-backups: the backups of servers, newest first.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/show/backups.h"
#include "report/backups.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct ListBackupsOptions {
  std::vector<std::string> servers;
  bool minimal = false;
};

void list_server(Parts& parts, const config::Server& server, const ListBackupsOptions& options) {
  const ServerCatalog opened(server, parts);
  if (options.minimal) {
    std::vector<catalog::BackupInfo> backups = opened.backups(parts.out);
    std::ranges::reverse(backups);
    report::report_backup_ids(server.name, backups, parts.out);
    return;
  }
  report::report_backups(engine::list_backups(opened.home, opened.catalog, engine::retention_settings(server),
                                              parts.clock.now(), parts.out),
                         parts.out);
}

}  // namespace

void register_list_backups(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<ListBackupsOptions>();
  CLI::App* command = app.add_subcommand("list-backups", "Lists the backups of servers, newest first.");
  command->add_option("server_name", options->servers, "The servers, or all.")->required();
  command->add_flag("--minimal", options->minimal, "Only the ids.");
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      for_each_server(parts, options->servers, {.disabled = Then::kRun},
                      [&](const config::Server& server) { list_server(parts, server, *options); });
      return 0;
    };
  });
}

}  // namespace barman::cli
