// barman list-servers: the servers of the configuration.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/servers.h"
#include "engine/show/servers.h"
#include "report/servers.h"
#include "report/writer.h"

namespace barman::cli {

void register_list_servers(CLI::App& app, Body& chosen) {
  const auto minimal = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("list-servers", "Lists the servers of the configuration.");
  command->add_flag("--minimal", *minimal, "print only their names");
  command->callback([minimal, &chosen] {
    chosen = [minimal](Parts& parts) {
      constexpr ServerRules kEvery = {.inactive = Then::kRun, .disabled = Then::kRun, .passive = Then::kRun};
      for_each_server(parts, {"all"}, kEvery, [&](const config::Server& server) {
        report::report_server_line(server.name, engine::description_with_state(server), *minimal, parts.out);
      });
      return 0;
    };
  });
}

}  // namespace barman::cli
