// barman restore: puts a backup back, up to the moment that was asked for.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/restore/restore.h"
#include "engine/wal/archive.h"
#include "engine/wal/xlog_index.h"
#include "report/restore.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

struct Options {
  std::string server;
  std::string backup;
  std::string destination;
  std::string time, xid, lsn, name, timeline, action;
  bool immediate = false, exclusive = false, standby = false;
  std::vector<std::string> tablespaces;
  std::string remote_command, wal_directory, staging_path, staging_location, combine_mode, restore_command;
  std::string recovery_file = "postgresql.auto.conf";
  std::string snapshot_instance;
  std::string jobs, bwlimit, retry_times, retry_sleep, batch_size, batch_period, port;
  bool no_retry = false;
  int get_wal = 0;  // 1 asked for, -1 refused, 0 as configured
  int verify = 1;
  bool partial_wal = false, skip_archive = false;
  bool delta = false, no_delta = false;
  bool network_compression = false, no_network_compression = false;
};

void add_target_options(CLI::App& command, Options& options) {
  command
      .add_option("--target-tli", options.timeline, "Timeline to recover to: current, latest or a number.")
      ->check(timeline_word);
  command.add_option("--target-time", options.time,
                     "Recover up to this time (with a zone, or in the local one).");
  command.add_option("--target-xid", options.xid, "Recover up to this transaction.");
  command.add_option("--target-lsn", options.lsn, "Recover up to this WAL position.");
  command.add_option("--target-name", options.name, "Recover up to this restore point.");
  command.add_flag("--target-immediate", options.immediate, "Recover only until the backup is consistent.");
  command.add_flag("--exclusive", options.exclusive, "Stop just before the target instead of just after it.");
  command
      .add_option("--target-action", options.action,
                  "What the server does at the target: pause, shutdown, promote.")
      ->check(target_action);
  command.add_flag("--standby-mode", options.standby, "Prepare a standby instead of a primary.");
}

void add_copy_options(CLI::App& command, Options& options) {
  command
      .add_option("--tablespace", options.tablespaces,
                  "Relocate a tablespace: NAME:LOCATION; may be repeated.")
      ->allow_extra_args(false);
  command.add_option("-j,--jobs", options.jobs, "Files to copy at a time.")->check(positive);
  command.add_option("--jobs-start-batch-size", options.batch_size, "Accepted; all jobs start at once.")
      ->check(positive);
  command.add_option("--jobs-start-batch-period", options.batch_period, "Accepted; all jobs start at once.")
      ->check(positive);
  command.add_option("--bwlimit", options.bwlimit, "Kilobytes a second at most; 0 is no limit.")
      ->check(non_negative);
  command.add_option("--retry-times", options.retry_times, "Accepted; a local copy is not tried again.")
      ->check(non_negative);
  command.add_option("--retry-sleep", options.retry_sleep, "Accepted; a local copy is not tried again.")
      ->check(non_negative);
  command.add_flag("--no-retry", options.no_retry, "Accepted; a local copy is not tried again.");
  command.add_flag(
      "--verify{1},--no-verify{-1}", options.verify,
      "Check every file against the backup's manifest while it is copied (the default), or do not.");
  command.add_option("--staging-path", options.staging_path, "Accepted; a plain backup needs no staging.");
  command
      .add_option("--staging-location", options.staging_location,
                  "Accepted; a plain backup needs no staging.")
      ->check(CLI::IsMember({"local", "remote"}));
  command.add_option("--combine-mode", options.combine_mode, "Accepted; a plain backup is not combined.");
}

void add_wal_options(CLI::App& command, Options& options) {
  command.add_flag("--get-wal{1},--no-get-wal{-1}", options.get_wal,
                   "Have the server fetch WAL while it recovers, or copy all WAL now.");
  command.add_option("--restore-command", options.restore_command, "With --get-wal: this restore_command.");
  command.add_flag("--partial-wal,--partial", options.partial_wal,
                   "Copy the segment that was still being streamed, too.");
  command.add_flag("--skip-archive-wal", options.skip_archive, "Do not archive waiting WAL first.");
  command.add_option("--staging-wal-directory", options.wal_directory,
                     "Where WAL for the recovery is put (default: DESTINATION/barman_wal).");
  command.add_option("--recovery-conf-filename", options.recovery_file,
                     "File that gets the recovery settings (default: postgresql.auto.conf).");
}

void add_later_options(CLI::App& command, Options& options) {
  command.add_option("--remote-ssh-command", options.remote_command,
                     "Restore to another host (not in this build).");
  command.add_option("--recovery-option-port", options.port,
                     "For restores to another host (not in this build).");
  command.add_flag("--delta-restore", options.delta, "Restore over an old directory (not in this build).");
  command.add_flag("--no-delta-restore", options.no_delta, "Restore to an empty directory.");
  command.add_flag("--network-compression", options.network_compression,
                   "For restores to another host (not in this build).");
  command.add_flag("--no-network-compression", options.no_network_compression, "Accepted.");
  command.add_option("--snapshot-recovery-instance", options.snapshot_instance,
                     "For volume snapshots (not in this build).");
}

void refuse_what_comes_later(const Options& options, const config::Server& server) {
  const auto refuse = [](std::string_view what) {
    throw Error(ErrorKind::kFailed, fmt::format("this build does not do {} yet", what));
  };
  if (!options.remote_command.empty() || !options.port.empty())
    refuse("restores to another host (--remote-ssh-command)");
  const auto configured = server.values.list("recovery_options");
  if (options.delta ||
      (!options.no_delta && std::ranges::find(configured, "delta-restore") != configured.end())) {
    refuse("--delta-restore");
  }
  if (!options.snapshot_instance.empty()) refuse("restores from volume snapshots");
  if (options.network_compression) refuse("--network-compression");
  for (const char* hook : {"pre_recovery_script", "pre_recovery_retry_script", "post_recovery_script",
                           "post_recovery_retry_script"}) {
    if (server.values.has(hook)) refuse(fmt::format("hook scripts ({} is set)", hook));
  }
}

engine::RecoveryTarget target_of(const Options& options, report::Writer& out) {
  const int targets = static_cast<int>(!options.time.empty()) + static_cast<int>(!options.xid.empty()) +
                      static_cast<int>(!options.lsn.empty()) + static_cast<int>(!options.name.empty()) +
                      static_cast<int>(options.immediate);
  if (targets > 1)
    throw Error(ErrorKind::kUsage, "You cannot specify multiple targets for the recovery operation");
  engine::RecoveryTarget target{.immediate = options.immediate, .exclusive = options.exclusive};
  if (!options.time.empty()) {
    const auto parsed = engine::parse_target_time(options.time);
    if (parsed.zone_assumed) {
      out.warning(fmt::format("the target time has no time zone: taken as {}",
                              iso_text(parsed.time.instant, parsed.time.offset)));
    }
    target.time = parsed.time;
  }
  if (!options.xid.empty()) {
    if (options.xid.find_first_not_of("0123456789") != std::string::npos) {
      throw Error(ErrorKind::kUsage, "'" + options.xid + "' is not a transaction id: it must be a number");
    }
    target.xid = options.xid;
  }
  if (!options.lsn.empty()) {
    target.lsn = pgformat::parse_lsn(options.lsn);
    if (!target.lsn)
      throw Error(ErrorKind::kUsage, "'" + options.lsn + "' is not a WAL position such as 0/3000060");
  }
  if (!options.name.empty()) target.name = options.name;
  if (!options.timeline.empty()) target.timeline = options.timeline;
  if (!options.action.empty()) target.action = options.action;
  return target;
}

std::map<std::string, std::string> tablespaces_of(const Options& options) {
  std::map<std::string, std::string> moved;
  for (const std::string& rule : options.tablespaces) {
    const std::size_t colon = rule.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == rule.size()) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("'{}' is not a tablespace rule. HINT: write NAME:LOCATION, for example ts1:/srv/ts1",
                      rule));
    }
    moved[rule.substr(0, colon)] = rule.substr(colon + 1);
  }
  return moved;
}

bool fetches_wal(const Options& options, const config::Server& server) {
  if (options.get_wal != 0) return options.get_wal > 0;
  const auto configured = server.values.list("recovery_options");
  return std::ranges::find(configured, "get-wal") != configured.end();
}

std::string get_wal_command(const Options& options, const std::string& server) {
  if (!options.restore_command.empty()) return options.restore_command;
  return fmt::format("barman get-wal {}{} %f > %p", options.standby ? "" : "-P ", server);
}

unsigned workers(const Options& options, const config::Server& server) {
  if (!options.jobs.empty()) return static_cast<unsigned>(std::stoul(options.jobs));
  const auto configured =
      static_cast<unsigned>(std::max<std::int64_t>(server.values.number("parallel_jobs"), 1));
  return std::max(configured, std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

std::optional<std::uint64_t> rate(const Options& options, const config::Server& server) {
  const std::int64_t kilobytes = options.bwlimit.empty()
                                     ? server.values.optional_number("bandwidth_limit").value_or(0)
                                     : std::stoll(options.bwlimit);
  if (kilobytes <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(kilobytes) * 1024;
}

catalog::BackupInfo chosen_backup(const Options& options, const ServerCatalog& opened,
                                  const engine::RecoveryTarget& target,
                                  const std::vector<catalog::WalEntry>& index, report::Writer& out) {
  if (options.backup != "auto") return opened.resolve(options.backup, out);
  const auto backups = opened.backups(out);
  std::optional<pgformat::Timeline> timeline;
  if (target.timeline && *target.timeline != "current") {
    const auto newest = std::ranges::find_if(backups.rbegin(), backups.rend(), catalog::is_available);
    if (newest != backups.rend() && *target.timeline == "latest") {
      timeline = engine::resolve_timeline(opened.home, *newest, target.timeline, index);
    } else if (*target.timeline != "latest") {
      timeline = static_cast<pgformat::Timeline>(std::stoul(*target.timeline));
    }
  }
  return engine::choose_backup(backups, target, timeline);
}

engine::RestoreRequest request_of(const Options& options, const config::Server& server,
                                  catalog::BackupInfo backup, engine::RecoveryTarget target) {
  engine::RestoreRequest request{
      .backup = std::move(backup),
      .destination = std::filesystem::absolute(options.destination).lexically_normal(),
      .target = std::move(target),
      .tablespaces = tablespaces_of(options),
      .standby = options.standby,
      .partial_wal = options.partial_wal,
      .recovery_file = options.recovery_file,
      .jobs = workers(options, server),
      .bytes_per_second = rate(options, server),
      .verify = options.verify > 0,
  };
  if (!request.destination.has_filename()) request.destination = request.destination.parent_path();
  if (fetches_wal(options, server)) request.get_wal_command = get_wal_command(options, server.name);
  if (!options.wal_directory.empty())
    request.wal_directory = std::filesystem::absolute(options.wal_directory);
  if (options.recovery_file.find('/') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "--recovery-conf-filename must be a file name without a directory");
  }
  return request;
}

void restore(Parts& parts, const config::Server& server, const Options& options) {
  refuse_what_comes_later(options, server);
  const engine::RecoveryTarget target = target_of(options, parts.out);
  if (options.destination.find(':') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "the destination directory must not contain ':'");
  }
  const ServerCatalog opened(server, parts.configuration);
  if (!options.skip_archive && server.active() && !server.passive()) {
    engine::archive_wal(opened.home, engine::archive_settings(server),
                        engine::ArchiveTalk::kWhenThereAreFiles, parts.clock, parts.out, parts.stop);
  }
  const auto index = engine::XlogIndex(opened.home, parts.out).read();
  const catalog::BackupInfo backup = chosen_backup(options, opened, target, index, parts.out);
  if (!catalog::is_available(backup)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("Cannot restore from backup '{}' of server '{}': backup status is not DONE",
                            options.backup, server.name));
  }
  const auto request = request_of(options, server, backup, target);
  const auto plan = engine::plan_restore(opened.home, request, index, parts.clock.now());

  parts.out.info(
      fmt::format("Starting local restore for server {} using backup {}", server.name, backup.id.text));
  parts.out.info(fmt::format("Destination directory: {}", request.destination.string()));
  if (target.is_pitr()) {
    parts.out.info(fmt::format("Doing PITR. Recovery target {}", engine::describe(target)));
  }
  if (backup.status == catalog::BackupStatus::kWaitingForWals) {
    parts.out.warning(
        fmt::format("backup {} still waits for WAL ({}): the server cannot be started without it",
                    backup.id.text, backup.end_wal.value_or("unknown")));
  }
  if (!options.restore_command.empty()) {
    if (request.get_wal_command) {
      parts.out.info(
          fmt::format("Custom restore command override: restore_command = '{}'", options.restore_command));
    } else {
      parts.out.warning("--restore-command has no effect without --get-wal");
    }
  }
  const auto result = engine::execute_restore(opened.home, request, plan, parts.clock, parts.out, parts.stop);
  report::report_restore(result, request.get_wal_command.has_value(), request.recovery_file, parts.out);
}

}  // namespace

void register_restore(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("restore", "Restores a backup of a server.");
  command->add_option("server_name", options->server, "The server.")->required();
  command->add_option("backup_id", options->backup, "The backup: an id, a name, latest, oldest, auto …")
      ->required();
  command->add_option("destination_directory", options->destination, "Where the data directory is restored.")
      ->required();
  add_target_options(*command, *options);
  add_copy_options(*command, *options);
  add_wal_options(*command, *options);
  add_later_options(*command, *options);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      if (const config::Server* server = select_server(parts, options->server, {}))
        restore(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
