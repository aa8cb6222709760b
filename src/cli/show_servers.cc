// barman show-servers: the options of servers, and what PostgreSQL says of itself.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/server/status.h"
#include "engine/show/servers.h"
#include "report/servers.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

std::optional<Time> latest_backup_end(Parts& parts, const config::Server& server) {
  if (!server.values.has("last_backup_maximum_age")) return std::nullopt;
  const auto backups = ServerCatalog(server, parts).backups(parts.out);
  std::optional<Time> latest;
  for (const auto& info : backups) {
    if (is_available(info) && info.end_time) latest = info.end_time->instant;
  }
  return latest;
}

int show_servers(Parts& parts, const std::vector<std::string>& names) {
  constexpr ServerRules kEvery = {.inactive = Then::kRun, .disabled = Then::kRun, .passive = Then::kRun};
  for_each_server(parts, names, kEvery, [&](const config::Server& server) {
    auto status = engine::server_status(server, parts.connector, parts.stop);
    report::report_server(engine::describe_server(server, std::move(status), latest_backup_end(parts, server),
                                                  parts.clock.now()),
                          parts.out);
  });
  return 0;
}

}  // namespace

void register_show_servers(CLI::App& app, Body& chosen) {
  const auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("show-servers", "Shows the options of servers and what PostgreSQL says of itself.");
  command->add_option("SERVER_NAME", *names, "the servers, or 'all'")->required();
  command->callback(
      [names, &chosen] { chosen = [names](Parts& parts) { return show_servers(parts, *names); }; });
}

}  // namespace barman::cli
