// barman list-files: the files of a backup, and its WAL.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/list_files/list_files.h"
#include "engine/wal/known_wal.h"
#include "report/list_files.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct ListFilesOptions {
  std::string server;
  std::string backup;
  std::string target = "standalone";
  bool empty_directories = false;
};

engine::ListTarget list_target(const std::string& word) {
  if (word == "data") return engine::ListTarget::kData;
  if (word == "wal") return engine::ListTarget::kWal;
  if (word == "full") return engine::ListTarget::kFull;
  return engine::ListTarget::kStandalone;
}

std::optional<catalog::BackupInfo> next_backup(const ServerCatalog& opened, const catalog::BackupId& id) {
  std::optional<catalog::BackupInfo> next;
  for (const catalog::BackupInfo& other : opened.catalog.list().backups) {
    if (other.id > id && catalog::is_available(other) && (!next || other.id < next->id)) next = other;
  }
  return next;
}

void list(Parts& parts, const config::Server& server, const ListFilesOptions& options) {
  const ServerCatalog opened(server, parts);
  const catalog::BackupInfo info = opened.resolve(options.backup, parts.out);
  const engine::ListRequest request{.backup = info,
                                    .next = next_backup(opened, info.id),
                                    .target = list_target(options.target),
                                    .empty_directories = options.empty_directories};
  const bool reads_index =
      request.target == engine::ListTarget::kWal || request.target == engine::ListTarget::kFull;
  const auto index = reads_index
                         ? engine::known_wal(opened.home, engine::WalFormat(server, parts.runner), parts.out)
                         : std::vector<catalog::WalEntry>{};
  engine::list_files(opened.home, request, index,
                     [&](const std::filesystem::path& path) { report::report_file(path, parts.out); });
}

}  // namespace

void register_list_files(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<ListFilesOptions>();
  CLI::App* command = app.add_subcommand("list-files", "Lists the files of a backup, one on a line.");
  command
      ->add_option(
          "--target", options->target,
          "Which: data, those of the backup alone; standalone, also the WAL that makes it consistent; "
          "wal, the archived WAL up to the next backup; full, data and wal.")
      ->check(CLI::IsMember({"standalone", "data", "wal", "full"}))
      ->capture_default_str();
  command->add_flag("--list-empty-directories", options->empty_directories, "Also name empty directories.");
  add_backup_arguments(*command, options->server, options->backup);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun});
      if (server != nullptr) list(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
