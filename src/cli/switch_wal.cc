// barman switch-wal: has servers close the WAL segment that they are writing.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/switch_wal/switch_wal.h"
#include "engine/wal/archive.h"
#include "engine/wal/wal_archive.h"
#include "postgres/connector.h"
#include "postgres/session.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct SwitchWalOptions {
  std::vector<std::string> servers;
  bool force = false;
  bool archive = false;
  std::string timeout = "30";
};

// Archives until the segment is there; without a name until any file is.
void wait_for_archiving(Parts& parts, const config::Server& server, const std::string& closed,
                        std::chrono::seconds limit) {
  const std::string bound = limit.count() > 0 ? fmt::format(" (max: {} seconds)", limit.count()) : "";
  parts.out.info(
      closed.empty()
          ? fmt::format("Waiting for a WAL file from server '{}' to be archived{}", server.name, bound)
          : fmt::format("Waiting for the WAL file {} from server '{}'{}", closed, server.name, bound));
  const engine::Home home = home_of(parts, server);
  const auto archive = engine::wal_archive(home);
  const auto settings = engine::archive_settings(server, parts.runner);
  bool any = false;
  const auto archive_once = [&] {
    const auto result = engine::archive_wal(home, settings, engine::ArchiveTalk::kWhenThereAreFiles,
                                            parts.clock, parts.out, parts.stop);
    any = any || !result.archived.empty();
  };
  const auto is_archived = [&] {
    return closed.empty() ? any : engine::find_archived(*archive, closed).has_value();
  };
  if (engine::wait_for_wal(archive_once, is_archived, limit, parts.clock, parts.stop) ==
      engine::WaitOutcome::kArchived) {
    return;
  }
  if (closed.empty()) {
    parts.out.info(fmt::format("A WAL file has not been received in {} seconds", limit.count()));
  } else {
    parts.out.error(
        fmt::format("The WAL file {} has not been received in {} seconds", closed, limit.count()));
  }
}

void switch_server(Parts& parts, const config::Server& server, const SwitchWalOptions& options) {
  const auto session = parts.connector.session(server.values.text("conninfo"), {.stop = parts.stop});
  const auto result = engine::switch_wal(*session, options.force);
  switch (result.outcome) {
    case engine::SwitchOutcome::kSwitched:
      parts.out.info(
          fmt::format("The WAL file {} has been closed on server '{}'", result.closed, server.name));
      break;
    case engine::SwitchOutcome::kNotNeeded:
      parts.out.info(fmt::format("No switch required for server '{}'", server.name));
      break;
    case engine::SwitchOutcome::kStandby:
      parts.out.info(fmt::format("No switch performed because server '{}' is a standby.", server.name));
      break;
  }
  if (options.archive) {
    wait_for_archiving(parts, server, result.closed, std::chrono::seconds(std::stoll(options.timeout)));
  }
}

}  // namespace

void register_switch_wal(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<SwitchWalOptions>();
  CLI::App* command =
      app.add_subcommand("switch-wal", "Has servers close the WAL segment that they are writing.");
  command->add_option("server_name", options->servers, "The servers, or all.")->required();
  command->add_flag("--force", options->force,
                    "Write a checkpoint first, so that there is something to switch.");
  command->add_flag("--archive", options->archive, "Wait until the closed segment is archived.");
  command
      ->add_option("--archive-timeout", options->timeout,
                   "Seconds to wait at most; 0 is no limit (default: 30).")
      ->check(non_negative);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      for_each_server(parts, options->servers, {.inactive = Then::kSkip, .passive = Then::kError},
                      [&](const config::Server& server) { switch_server(parts, server, *options); });
      return 0;
    };
  });
}

}  // namespace barman::cli
