// barman check-bucket: whether the buckets of servers do all that is asked of them.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/check_bucket/probe.h"
#include "engine/server/time_limit.h"
#include "report/check_bucket.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

struct CheckBucketOptions {
  std::vector<std::string> servers;
  std::string timeout;

  [[nodiscard]] bool is_for_all() const { return std::ranges::find(servers, "all") != servers.end(); }
  [[nodiscard]] std::chrono::seconds limit_for(const config::Server& server) const {
    if (!timeout.empty()) return std::chrono::seconds(std::stoll(timeout));
    return std::chrono::seconds(std::max<std::int64_t>(server.values.number("check_timeout"), 0));
  }
};

void check_buckets(Parts& parts, const config::Server& server, const CheckBucketOptions& options) {
  const engine::TimeLimit limit(options.limit_for(server), parts.stop);
  const engine::Home home = home_of(parts, server, limit.token());
  const std::vector<engine::ProbedPlace> places = engine::places_in_buckets(home);
  if (places.empty()) {
    if (!options.is_for_all()) throw no_bucket(server);
    parts.out.info(fmt::format("Skipping server '{}': nothing of it is in a bucket", server.name));
  }
  for (const engine::ProbedPlace& place : places) {
    report::print_place(server.name, engine::probe_place(home, place, parts.clock, parts.stop), parts.out);
    if (parts.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "the check was interrupted");
  }
}

}  // namespace

void register_check_bucket(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<CheckBucketOptions>();
  CLI::App* command = app.add_subcommand(
      "check-bucket",
      "Tries out all that servers need of their buckets, with small objects that are taken away again.");
  command->add_option("server_name", options->servers, "the servers, or 'all'")->required();
  command
      ->add_option("--check-timeout", options->timeout,
                   "seconds that the trials of a server may take; 0: no limit")
      ->type_name("SECONDS")
      ->check(non_negative);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      for_each_server(parts, options->servers, {},
                      [&](const config::Server& server) { check_buckets(parts, server, *options); });
      return 0;
    };
  });
}

}  // namespace barman::cli
