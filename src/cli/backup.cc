// barman backup: takes a base backup of servers.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/server_check.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/backup/backup.h"
#include "engine/restore/manifest_in_bucket.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_archives.h"
#include "engine/server/support.h"
#include "engine/wal/archive.h"
#include "engine/wal/wal_format.h"
#include "postgres/connector.h"
#include "report/backup.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct BackupOptions {
  std::vector<std::string> servers;
  int immediate_checkpoint = 0;  // 1 asked for, -1 refused, 0 as configured
  std::string name;
  std::optional<std::string> parent;
  std::optional<std::string> reuse;
  std::string retry_times, retry_sleep, jobs, batch_size, batch_period, bwlimit, wait_timeout, keepalive,
      check_timeout;
  std::string staging_directory, staging_size;
  bool no_retry = false;
  bool wait = false;
  int manifest = 0;
};

void add_copy_options(CLI::App& command, BackupOptions& options) {
  command.add_flag("--immediate-checkpoint{1},--no-immediate-checkpoint{-1}", options.immediate_checkpoint,
                   "Have the server write its checkpoint at once, or spread over time.");
  command.add_option("--bwlimit", options.bwlimit, "Kilobytes a second at most; 0 is no limit.")
      ->check(non_negative)
      ->type_name("KBPS");
  command
      .add_option("--retry-times", options.retry_times,
                  "How often a copy is tried again whose connection broke.")
      ->check(non_negative)
      ->type_name("N");
  command.add_flag("--no-retry", options.no_retry, "Same as --retry-times 0.");
  command.add_option("--retry-sleep", options.retry_sleep, "Seconds between the attempts.")
      ->check(non_negative)
      ->type_name("SECONDS");
  command.add_option("--name", options.name, "A name for the backup, to be used in place of its id.")
      ->check(backup_name)
      ->type_name("NAME");
}

void add_wait_options(CLI::App& command, BackupOptions& options) {
  command.add_flag("-w,--wait", options.wait, "Wait until the WAL that the backup needs is archived.");
  command.add_option("--wait-timeout", options.wait_timeout, "Seconds to wait at most; 0 is no limit.")
      ->check(non_negative)
      ->type_name("SECONDS");
  command
      .add_option("--check-timeout", options.check_timeout,
                  "Seconds that each check before the backup may take.")
      ->check(non_negative)
      ->type_name("SECONDS");
}

void add_other_options(CLI::App& command, BackupOptions& options) {
  command
      .add_option("--incremental", options.parent,
                  "Take an incremental backup, of the blocks that changed since this one (PostgreSQL 17).")
      ->type_name("BACKUP_ID");
  command
      .add_option("--reuse-backup", options.reuse,
                  "For rsync backups: copy, link or off (not in this build).")
      ->expected(0, 1)
      ->check(CLI::IsMember({"copy", "link", "off"}));
  command
      .add_option("-j,--jobs", options.jobs,
                  "Into a bucket: so many parts are sent at a time, and files read by so many threads.")
      ->check(positive)
      ->type_name("N");
  command.add_option("--jobs-start-batch-size", options.batch_size, "For rsync backups; accepted.")
      ->check(positive)
      ->type_name("N");
  command.add_option("--jobs-start-batch-period", options.batch_period, "For rsync backups; accepted.")
      ->check(positive)
      ->type_name("SECONDS");
  command
      .add_option("--keepalive-interval", options.keepalive,
                  "For local-to-cloud: seconds after which an idle connection is used; 0 is never.")
      ->check(non_negative)
      ->type_name("SECONDS");
  command.add_flag("--manifest{1},--no-manifest{-1}", options.manifest,
                   "For rsync backups; accepted. A streamed backup always has the server's manifest.");
}

void add_staging_options(CLI::App& command, BackupOptions& options) {
  command
      .add_option("--cloud-staging-directory", options.staging_directory,
                  "Accepted: nothing is staged on the way into a bucket.")
      ->check(value_of("cloud_staging_directory"))
      ->type_name("PATH");
  command
      .add_option("--cloud-staging-max-size", options.staging_size,
                  "Accepted: nothing is staged on the way into a bucket.")
      ->check(value_of("cloud_staging_max_size"))
      ->type_name("SIZE");
}

void refuse_what_comes_later(const BackupOptions& options) {
  if (options.reuse && *options.reuse != "off") {
    throw Error(ErrorKind::kFailed,
                "--reuse-backup is for rsync backups, which this build does not take yet; leave it out");
  }
}

engine::BackupRequest request_of(const BackupOptions& options, const config::Server& server) {
  engine::BackupRequest request = engine::backup_request(server);
  if (!options.name.empty()) request.name = options.name;
  request.parent = options.parent;
  if (options.immediate_checkpoint != 0) request.fast_checkpoint = options.immediate_checkpoint > 0;
  if (!options.bwlimit.empty()) request.bandwidth = std::stoll(options.bwlimit);
  if (!options.keepalive.empty()) request.keep_alive = std::chrono::seconds(std::stoll(options.keepalive));
  if (!options.retry_times.empty()) request.retries = std::stoi(options.retry_times);
  if (options.no_retry) request.retries = 0;
  if (!options.retry_sleep.empty())
    request.retry_pause = std::chrono::seconds(std::stoll(options.retry_sleep));
  request.wait = options.wait;
  if (!options.wait_timeout.empty())
    request.wait_limit = std::chrono::seconds(std::stoll(options.wait_timeout));
  return request;
}

// For those who look at the log.
void say_that_nothing_is_staged(const BackupOptions& options, report::Writer& out) {
  const bool asked = !options.staging_directory.empty() || !options.staging_size.empty();
  out.log(
      asked ? engine::LogLevel::kInfo : engine::LogLevel::kDebug,
      "nothing is staged on the way into a bucket: cloud_staging_directory, cloud_staging_max_size and the "
      "options of these names have no effect");
}

engine::FetchManifest fetch_manifest(const Parts& parts, const config::Server& server,
                                     const engine::Home& home) {
  if (!home.backup_bucket) return {};
  return [&parts, &server, &home](const catalog::BackupInfo& info, stream::Sink& into) {
    const auto manifest =
        engine::manifest_in_bucket(home, info, engine::cloud_archives(home.backup_bucket->bucket(), info),
                                   engine::WalFormat(server, parts.runner));
    if (manifest) manifest->read(into);
    return manifest.has_value();
  };
}

void back_up(Parts& parts, config::Server server, const BackupOptions& options) {
  if (!options.jobs.empty()) {
    server.values.set("parallel_jobs", static_cast<std::int64_t>(std::stoll(options.jobs)), "--jobs");
  }
  refuse_what_comes_later(options);
  engine::require_supported(server, engine::Verb::kBackup);
  engine::require_supported(server, engine::Verb::kArchiveWal);
  const engine::BackupRequest request = request_of(options, server);
  ServerCatalog opened(server, parts);
  if (opened.home.backup_bucket) say_that_nothing_is_staged(options, parts.out);
  std::optional<std::chrono::seconds> check_limit;
  if (!options.check_timeout.empty()) check_limit = std::chrono::seconds(std::stoll(options.check_timeout));
  if (!may_backup(parts, server, check_limit)) {
    return parts.out.error(fmt::format(
        "Impossible to start the backup. Check the log for more details, or run 'barman check {}'",
        server.name));
  }
  const auto archiving = engine::archive_settings(server, parts.runner);
  const auto archive_once = [&] {
    engine::archive_wal(opened.home, archiving, engine::ArchiveTalk::kWhenThereAreFiles, parts.clock,
                        parts.out, parts.stop);
  };
  const engine::BackupSurroundings around{.home = opened.home,
                                          .server = server,
                                          .catalog = opened.catalog,
                                          .connector = parts.connector,
                                          .runner = parts.runner,
                                          .clock = parts.clock,
                                          .events = parts.out,
                                          .archive_once = archive_once,
                                          .fetch_manifest = fetch_manifest(parts, server, opened.home)};
  const catalog::BackupInfo info = engine::take_backup(request, around, parts.stop);
  report::report_backup(info, parts.out);
}

}  // namespace

void register_backup(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App* command = app.add_subcommand("backup", "Takes a base backup of servers.");
  command->add_option("server_name", options->servers, "The servers, or all.")->required();
  add_copy_options(*command, *options);
  add_wait_options(*command, *options);
  add_other_options(*command, *options);
  add_staging_options(*command, *options);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      for_each_server(parts, options->servers, {.inactive = Then::kSkip, .passive = Then::kSkip},
                      [&](const config::Server& server) { back_up(parts, server, *options); });
      return 0;
    };
  });
}

}  // namespace barman::cli
