// barman verify-backup: whether a backup is what its manifest says.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/held_backup.h"
#include "cli/servers.h"
#include "cli/workers.h"
#include "config/settings.h"
#include "engine/restore/verify.h"
#include "engine/server/chain.h"
#include "report/verify_backup.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct VerifyBackupOptions {
  std::string server;
  std::string backup;
};

void verify(Parts& parts, const config::Server& server, const std::string& word) {
  const ServerCatalog opened(server, parts);
  const catalog::BackupInfo info = opened.resolve(word, parts.out);
  parts.out.info(fmt::format("Verifying backup '{}' on server ['{}']", word, server.name));
  engine::VerifyRequest request{
      .chain = {info}, .format = engine::WalFormat(server, parts.runner), .jobs = default_workers(server)};
  if (info.parent_backup_id) request.chain = engine::chain_of(opened.catalog.list().backups, info);
  std::vector<os::LockFile> locks;
  for (const catalog::BackupInfo& member : request.chain) locks.push_back(hold_backup(opened, member, parts));
  report::report_verification(engine::verify_backup(opened.home, request, parts.clock, parts.out, parts.stop),
                              parts.out);
}

}  // namespace

void register_verify_backup(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<VerifyBackupOptions>();
  CLI::App* command = app.add_subcommand(
      "verify-backup",
      "Checks the files of a backup, and of those that it is built on, against the manifest.");
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      if (const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun}))
        verify(parts, *server, options->backup);
      return 0;
    };
  });
}

}  // namespace barman::cli
