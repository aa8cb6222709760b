// barman check-backup: decides anew whether a backup has all the WAL that it needs.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/server/promotion.h"
#include "engine/server/reconcile.h"
#include "os/lock_file.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct CheckBackupOptions {
  std::string server;
  std::string backup;
};

void check(Parts& parts, const config::Server& server, const std::string& word) {
  ServerCatalog opened(server, parts);
  engine::reconcile_with_bucket(opened.home, opened.catalog, parts.out);
  const catalog::BackupId id = opened.resolve(word, parts.out).id;
  const auto lock = os::LockFile::try_acquire(opened.home.id_lock(id));
  if (!lock) {
    parts.out.info(fmt::format("Backup {} of server {} is being checked or deleted by another process",
                               id.text, server.name));
    return;
  }
  const auto info = opened.catalog.find(id);  // as it is now that nobody else deletes it
  if (!info) return;
  if (info->status == catalog::BackupStatus::kFailed) {
    parts.out.error("The validity of a failed backup cannot be checked");
    return;
  }
  const catalog::BackupInfo now = engine::promote(opened.home, opened.catalog, *info);
  if (now.status == catalog::BackupStatus::kFailed) {
    parts.out.error(fmt::format("This backup has been marked as FAILED due to the following reason: {}",
                                now.error.value_or("unknown")));
  }
}

}  // namespace

void register_check_backup(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<CheckBackupOptions>();
  CLI::App* command = app.add_subcommand(
      "check-backup", "Checks that all WAL which a backup needs is archived, and updates its status.");
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun});
      if (server != nullptr) check(parts, *server, options->backup);
      return 0;
    };
  });
}

}  // namespace barman::cli
