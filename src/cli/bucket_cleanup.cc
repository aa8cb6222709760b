// barman bucket-cleanup: removes from a bucket what dead runs left there.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/bucket_cleanup/cleanup.h"
#include "os/lock_file.h"
#include "report/bucket_cleanup.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

struct BucketCleanupOptions {
  std::string server;
  bool dry_run = false;
  std::string older_than = "24";
};

void clean_bucket(Parts& parts, const config::Server& server, const BucketCleanupOptions& options) {
  const engine::Home home = home_of(parts, server);
  if (!home.backup_bucket && !home.wal_bucket) throw no_bucket(server);
  // What a backup of this host leaves unfinished while it runs is not left over.
  const auto lock = os::LockFile::try_acquire(home.backup_lock());
  if (!lock) {
    throw Error(ErrorKind::kBusy,
                fmt::format("A backup or a deletion is running for server {}; try again when it has ended",
                            server.name));
  }
  const Time now = parts.clock.now();
  const engine::RemovalRules rules = engine::removal_rules(server);
  const engine::CleanupPlan plan =
      engine::plan_cleanup(home, rules, std::chrono::hours(std::stoll(options.older_than)), now);
  report::report_plan(server.name, plan, options.dry_run, parts.out);
  if (options.dry_run) {
    for (const engine::LeftOver& one : plan.left_overs)
      report::report_found(server.name, one, now, parts.out);
    return;
  }
  const auto removed = [&](const engine::LeftOver& one, const std::string& failure) {
    report::report_removed(server.name, one, failure, now, parts.out);
  };
  engine::clean_up(home, plan, rules, parts.clock, removed, parts.stop);
}

// Hours, few enough to be counted back from now.
std::string hours(const std::string& argument) {
  constexpr std::size_t kMostDigits = 6;
  const std::string problem = non_negative(argument);
  return problem.empty() && argument.size() > kMostDigits ? "'" + argument + "' is more than a century"
                                                          : problem;
}

}  // namespace

void register_bucket_cleanup(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<BucketCleanupOptions>();
  CLI::App* command =
      app.add_subcommand("bucket-cleanup",
                         "Removes what dead runs left in the buckets of a server: unfinished "
                         "uploads, objects of backups that have no record, and what checks put.");
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_flag("--dry-run", options->dry_run, "Say what would be removed, and remove nothing.");
  command
      ->add_option("--older-than", options->older_than,
                   "Leave alone what was written within so many hours (default: 24).")
      ->type_name("HOURS")
      ->check(hours);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      const config::Server* server =
          select_server(parts, options->server, {.inactive = Then::kError, .passive = Then::kError});
      if (server != nullptr) clean_bucket(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
