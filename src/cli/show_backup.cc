// barman show-backup: all that is known about one backup.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/show/backups.h"
#include "report/backup_details.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct ShowBackupOptions {
  std::string server;
  std::string backup;
};

void show(Parts& parts, const config::Server& server, const std::string& word) {
  const ServerCatalog opened(server, parts);
  const catalog::BackupInfo info = opened.resolve(word, parts.out);
  // Damaged neighbours are not what was asked for: list-backups names them.
  const std::vector<catalog::BackupInfo> backups = opened.catalog.list().backups;
  report::report_backup_details(
      engine::describe_backup(opened.home, opened.catalog, backups, info, engine::retention_settings(server),
                              parts.clock.now(), parts.out, engine::WalFormat(server, parts.runner)),
      parts.out);
}

}  // namespace

void register_show_backup(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<ShowBackupOptions>();
  CLI::App* command = app.add_subcommand("show-backup", "Shows all that is known about one backup.");
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun});
      if (server != nullptr) show(parts, *server, options->backup);
      return 0;
    };
  });
}

}  // namespace barman::cli
