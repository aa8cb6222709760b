// barman receive-wal: streams a server's WAL, and looks after the slot and the folder that this needs.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/receive/receive.h"
#include "engine/server/support.h"
#include "engine/server/wal_connections.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct ReceiveWalOptions {
  std::string server;
  bool stop = false;
  bool reset = false;
  bool create_slot = false;
  bool if_not_exists = false;
  bool drop_slot = false;
  bool if_exists = false;
};

void stop_running(Parts& parts, const engine::Home& home) {
  parts.out.warning(fmt::format(
      "receive-wal --stop is deprecated. Use 'barman terminate-process {} receive-wal'", home.server));
  const auto stopped = engine::stop_receiver(home, parts.clock);
  if (!stopped) {
    parts.out.error(
        fmt::format("Termination of receive-wal failed: no such process for server {}", home.server));
  } else if (!stopped->gone) {
    parts.out.error(fmt::format("Cannot terminate process receive-wal({})", stopped->pid));
  } else {
    parts.out.info(fmt::format("Stopped process receive-wal({})", stopped->pid));
  }
}

void receive(Parts& parts, const config::Server& server, const engine::Home& home,
             const engine::ReceiveSettings& settings) {
  if (!server.values.flag("streaming_archiver")) {
    parts.out.error(
        "Unable to start receive-wal process: streaming_archiver option set to 'off' in barman configuration "
        "file");
    return;
  }
  engine::require_supported(server, engine::Verb::kReceiveWal);
  parts.out.info(fmt::format("Starting receive-wal for server {}", server.name));
  engine::receive_wal(home, settings, parts.connector, parts.clock, parts.out, parts.stop);
  parts.out.info("SIGINT received. Terminate gracefully.");
}

void run(Parts& parts, const ReceiveWalOptions& options, const config::Server& server) {
  const engine::Home home = home_of(parts, server);
  if (options.stop) return stop_running(parts, home);
  if (const auto overrides = engine::wal_connections(server).overrides) parts.out.info(*overrides);
  const engine::ReceiveSettings settings = engine::receive_settings(server);
  if (options.create_slot) {
    engine::create_slot(home, settings, options.if_not_exists, parts.connector, parts.out, parts.stop);
  } else if (options.drop_slot) {
    engine::drop_slot(home, settings, options.if_exists, parts.connector, parts.out, parts.stop);
  } else if (options.reset) {
    const auto outcome = engine::reset_receiving(home, settings, parts.connector, parts.out, parts.stop);
    if (outcome == engine::ResetOutcome::kAligned) {
      parts.out.info("Nothing to do. Position of receive-wal is aligned.");
    }
  } else {
    receive(parts, server, home, settings);
  }
}

}  // namespace

void register_receive_wal(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<ReceiveWalOptions>();
  CLI::App* command = app.add_subcommand("receive-wal", "Receives a server's WAL by streaming replication.");
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_flag("--stop", options->stop, "Stop the receiver that runs.");
  command->add_flag("--reset", options->reset,
                    "Have receiving start where the server is, whatever gap that leaves.");
  command->add_flag("--create-slot", options->create_slot, "Create the replication slot slot_name.");
  command->add_flag("--if-not-exists", options->if_not_exists, "With --create-slot: it may exist already.");
  command->add_flag("--drop-slot", options->drop_slot, "Drop the replication slot slot_name.");
  command->add_flag("--if-exists", options->if_exists, "With --drop-slot: it may be gone already.");
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      if (options->stop && options->reset) {
        parts.out.error("--stop and --reset options are not compatible");
        return 0;
      }
      const bool plain = !options->stop && !options->reset && !options->create_slot && !options->drop_slot;
      const ServerRules rules{.inactive = plain ? Then::kSkip : Then::kRun};
      if (const config::Server* server = select_server(parts, options->server, rules))
        run(parts, *options, *server);
      return 0;
    };
  });
}

}  // namespace barman::cli
