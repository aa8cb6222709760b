// barman generate-manifest: describes a backup that came without a manifest.
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
#include "engine/restore/generate_manifest.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct GenerateManifestOptions {
  std::string server;
  std::string backup;
};

void generate(Parts& parts, const config::Server& server, const std::string& word) {
  const ServerCatalog opened(server, parts);
  const catalog::BackupInfo info = opened.resolve(word, parts.out);
  const os::LockFile held = hold_backup(opened, info, parts);
  const engine::ManifestRequest request{
      .backup = info, .format = engine::WalFormat(server, parts.runner), .jobs = default_workers(server)};
  const std::uint64_t files =
      engine::generate_manifest(opened.home, request, parts.clock, parts.out, parts.stop);
  parts.out.log(engine::LogLevel::kInfo, fmt::format("the manifest lists {} files", files));
  parts.out.info(fmt::format("Backup manifest for backup '{}' successfully generated for server ['{}']", word,
                             server.name));
}

}  // namespace

void register_generate_manifest(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<GenerateManifestOptions>();
  CLI::App* command = app.add_subcommand(
      "generate-manifest", "Writes the manifest of a backup that has none, so that it can be verified.");
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {.inactive = Then::kSkip});
      if (server != nullptr) generate(parts, *server, options->backup);
      return 0;
    };
  });
}

}  // namespace barman::cli
