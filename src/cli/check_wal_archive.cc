// barman check-wal-archive: whether the archive of a server may be used for a new cluster.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/archived_wal/free_archive.h"
#include "report/archived_wal.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct CheckWalArchiveOptions {
  std::string server;
  std::string timeline;
};

void check(Parts& parts, const config::Server& server, const CheckWalArchiveOptions& options) {
  std::optional<std::uint64_t> timeline;
  if (!options.timeline.empty()) timeline = std::stoull(options.timeline);
  const engine::Home home = home_of(parts, server);
  report::report_wal_archive(server.name, engine::files_in_the_way(home, timeline, parts.out), timeline,
                             parts.out);
}

}  // namespace

void register_check_wal_archive(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<CheckWalArchiveOptions>();
  CLI::App* command = app.add_subcommand(
      "check-wal-archive",
      "Checks that a new cluster may be archived to a server's WAL archive: that nothing is in it.");
  command
      ->add_option("--timeline", options->timeline, "Only WAL of this timeline and later ones is in the way.")
      ->type_name("TIMELINE")
      ->check(positive);
  command->add_option("server_name", options->server, "The server.")->required();
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server = select_server(parts, options->server, {.disabled = Then::kRun});
      if (server != nullptr) check(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
