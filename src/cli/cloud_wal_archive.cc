// barman cloud-wal-archive: one WAL file of the server on this host into the bucket, as archive_command.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/server/support.h"
#include "engine/wal/archive.h"
#include "engine/wal/archive_directly.h"
#include "pgformat/wal_name.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct CloudWalArchiveOptions {
  std::string server;
  std::string path;
  std::string parallel;
};

// Says it if the path leads to nothing that can be archived.
bool is_wal_file(Parts& parts, const std::filesystem::path& path) {
  std::error_code absent;
  if (std::filesystem::is_directory(path, absent)) {
    parts.out.error(fmt::format("wal_path cannot be a directory: {}", path.native()));
  } else if (!std::filesystem::exists(path, absent)) {
    parts.out.error(fmt::format("WAL file does not exist: {}", path.native()));
  } else if (!pgformat::parse_wal_name(path.filename().native())) {
    parts.out.error(fmt::format("File is not a valid WAL file: {}", path.native()));
  } else {
    return true;
  }
  return false;
}

int cloud_wal_archive(Parts& parts, const CloudWalArchiveOptions& options) {
  if (!is_wal_file(parts, options.path)) return 0;
  // Success would let PostgreSQL remove WAL that is nowhere.
  const config::Server* server =
      select_server(parts, options.server, {.inactive = Then::kError, .passive = Then::kError});
  if (server == nullptr) return 0;
  const engine::Home home = home_of(parts, *server);
  if (!home.wal_bucket) {
    parts.out.error(fmt::format(
        "server {} does not keep its WAL in a bucket: set wals_directory to an s3:// URL, or archive with "
        "barman-wal-archive",
        server->name));
    return 0;
  }
  engine::require_supported(*server, engine::Verb::kArchiveWal);
  const engine::WalFormat format = engine::storing_format(*server, parts.runner);
  engine::archive_directly(
      {.home = home,
       .format = format,
       .parallel = files_at_a_time(options.parallel, *server, "cloud_wal_archive_parallel"),
       .clock = parts.clock,
       .events = parts.out},
      options.path, parts.stop);
  return 0;
}

}  // namespace

void register_cloud_wal_archive(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<CloudWalArchiveOptions>();
  CLI::App* command =
      app.add_subcommand("cloud-wal-archive",
                         "Stores a WAL file of the server on this host in its bucket: for archive_command.");
  command
      ->add_option("--parallel,-p", options->parallel,
                   "Store so many files at a time: those that are ready behind the wanted one too.")
      ->type_name("FILES")
      ->check(non_negative);
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_option("wal_path", options->path, "The WAL file: %p of archive_command.")->required();
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) { return cloud_wal_archive(parts, *options); };
  });
}

}  // namespace barman::cli
