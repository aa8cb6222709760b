// barman keep: keeps a backup whatever the retention policy says, or lets the policy decide again.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/error.h"
#include "catalog/file_names.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/held_backup.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/keep/keep.h"
#include "report/keep.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct KeepOptions {
  std::string server;
  std::string backup;
  std::string target;
  bool release = false;
  bool status = false;
};

void keep(Parts& parts, const config::Server& server, const KeepOptions& options) {
  ServerCatalog opened(server, parts);
  const catalog::BackupInfo info = opened.resolve(options.backup, parts.out);
  if (options.status) {
    report::report_keep(server.name, opened.catalog.annotation(info.id, catalog::kKeep), parts.out);
  } else if (options.release) {
    opened.catalog.remove_annotation(info.id, catalog::kKeep);
  } else {
    const os::LockFile held = hold_backup(opened, info, parts);
    engine::keep_backup(opened.catalog, info.id, options.target);
  }
}

}  // namespace

void register_keep(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<KeepOptions>();
  CLI::App* command = app.add_subcommand(
      "keep", "Keeps a backup: neither the retention policy nor 'barman delete' removes it.");
  command->add_flag("-r,--release", options->release, "Let the retention policy decide again.");
  command->add_flag("-s,--status", options->status, "Say whether and how the backup is kept.");
  command
      ->add_option("--target", options->target,
                   "Keep it with all WAL since (full), or with only what makes it consistent (standalone).")
      ->type_name("TARGET")
      ->check(one_of({"full", "standalone"}));
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      if (!options->status && !options->release && options->target.empty()) {
        parts.out.error("one of the arguments -r/--release -s/--status --target is required");
        return 0;
      }
      const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun});
      if (server != nullptr) keep(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
