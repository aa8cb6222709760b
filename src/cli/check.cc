// barman check: whether servers are in order.

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/redact.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_check.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "report/check.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> servers;
  bool nagios = false;
  std::string timeout;

  [[nodiscard]] std::optional<std::chrono::seconds> limit() const {
    if (timeout.empty()) return std::nullopt;
    return std::chrono::seconds(std::stoll(timeout));
  }
};

void warn_of_useless_primary(const engine::CheckReport& report, report::Writer& out) {
  const auto line =
      std::ranges::find(report.lines, "PostgreSQL server is standby", &engine::CheckLine::label);
  if (line == report.lines.end() || line->ok) return;
  out.warning(
      "'primary_conninfo' is set but 'conninfo' does not point to a standby server. Ignoring "
      "'primary_conninfo'.");
}

int check(Parts& parts, const CheckOptions& options) {
  for_each_server(parts, options.servers, kEveryServer, [&](const config::Server& server) {
    const engine::CheckReport report = check_server(parts, server, options.limit());
    warn_of_useless_primary(report, parts.out);
    report::print_check(report, parts.out);
  });
  return 0;
}

// One line (and details) for a monitoring system, whatever happens.
int check_for_nagios(Parts& parts, const CheckOptions& options) {
  parts.out.mute();
  report::NagiosResult result;
  try {
    std::vector<engine::CheckReport> reports;
    for_each_server(parts, options.servers, kEveryServer, [&](const config::Server& server) {
      reports.push_back(check_server(parts, server, options.limit()));
    });
    result = report::nagios(reports, parts.out.exit_status() != 0);
  } catch (const Error& error) {
    result = {.text = std::string("BARMAN CRITICAL - ") + redact(error.what()), .status = 2};
  }
  std::printf("%s\n", result.text.c_str());
  return result.status;
}

}  // namespace

void register_check(CLI::App& app, Body& chosen) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Checks whether servers are in order.");
  command->add_option("server_name", options->servers, "the servers, or 'all'")->required();
  command->add_flag("--nagios", options->nagios, "answer as a Nagios plugin does");
  command
      ->add_option("--check-timeout", options->timeout,
                   "seconds that the checks of a server may take; 0: no limit")
      ->type_name("SECONDS")
      ->check(non_negative);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      return options->nagios ? check_for_nagios(parts, *options) : check(parts, *options);
    };
  });
}

}  // namespace barman::cli
