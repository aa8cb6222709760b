// barman delete: removes a backup, what is built on it, and the WAL that only they needed.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/error.h"
#include "catalog/file_names.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/delete/delete.h"
#include "engine/delete/plan.h"
#include "engine/server/interrupted.h"
#include "engine/server/reconcile.h"
#include "engine/server/retention_settings.h"
#include "engine/server/support.h"
#include "os/lock_file.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct DeleteOptions {
  std::string server;
  std::string backup;
};

void execute(Parts& parts, ServerCatalog& opened, engine::RemovalRules rules,
             const std::vector<catalog::BackupId>& order) {
  engine::Deletion deletion(opened.home, opened.catalog, rules, parts.out, parts.clock);
  for (const catalog::BackupId& id : order) {
    if (parts.stop.stop_requested()) {
      throw Error(ErrorKind::kCancelled, fmt::format("stopped before backup {} was deleted", id.text));
    }
    if (!deletion.remove(id, catalog::DeletedBy::kCommand)) {
      throw Error(ErrorKind::kBusy,
                  fmt::format("Backup {} of server {} is in use by another process; try again later", id.text,
                              opened.home.server));
    }
  }
}

void remove(Parts& parts, const config::Server& server, const std::string& word) {
  engine::require_supported(server, engine::Verb::kDelete);
  ServerCatalog opened(server, parts);
  engine::reconcile_with_bucket(opened.home, opened.catalog, parts.out);
  engine::settle_interrupted_backups(opened.home, opened.catalog, parts.out);
  const catalog::BackupId id = opened.resolve(word, parts.out).id;
  const auto lock = os::LockFile::try_acquire(opened.home.backup_lock());
  if (!lock) {
    throw Error(ErrorKind::kBusy,
                fmt::format("A backup or a deletion is running for server {}; try again when it "
                            "has ended",
                            server.name));
  }
  const catalog::BackupInfo info = opened.resolve(id.text, parts.out);
  const engine::DeletePlan plan =
      engine::plan_delete(opened.catalog.list().backups, opened.catalog.annotations(catalog::kKeep),
                          engine::retention_settings(server).minimum_redundancy, info, server.name);
  if (plan.refusal) {
    parts.out.warning(*plan.refusal);
    throw Error(ErrorKind::kRefused, fmt::format("Cannot delete backup ({} {})", server.name, id.text));
  }
  if (plan.order.size() > 1) {
    std::string members;
    for (const catalog::BackupId& member : plan.order) members += (members.empty() ? "" : ", ") + member.text;
    parts.out.warning(fmt::format(
        "Backup {} has incremental backups which depend on it. Deleting all backups in the tree: {}", id.text,
        members));
  }
  execute(parts, opened, engine::removal_rules(server), plan.order);
}

}  // namespace

void register_delete(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<DeleteOptions>();
  CLI::App* command = app.add_subcommand(
      "delete",
      "Deletes a backup, the incremental backups that are built on it, and the WAL that only they needed.");
  add_backup_arguments(*command, options->server, options->backup, "oldest");
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {});
      if (server != nullptr) remove(parts, *server, options->backup);
      return 0;
    };
  });
}

}  // namespace barman::cli
