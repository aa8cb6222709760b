// barman restore: puts a backup back, up to the moment that was asked for.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/held_backup.h"
#include "cli/restore_options.h"
#include "cli/servers.h"
#include "cli/workers.h"
#include "config/settings.h"
#include "engine/restore/restore.h"
#include "engine/server/chain.h"
#include "engine/wal/archive.h"
#include "engine/wal/known_wal.h"
#include "report/restore.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

using Options = RestoreOptions;

void refuse_what_comes_later(const Options& options, const config::Server& server) {
  const auto refuse = [](std::string_view what) {
    throw Error(ErrorKind::kFailed, fmt::format("this build does not do {} yet", what));
  };
  if (!options.remote_command.empty() || !options.port.empty())
    refuse("restores to another host (--remote-ssh-command)");
  if (!options.snapshot_instance.empty() || !options.cloud_place.empty())
    refuse("restores from volume snapshots");
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
      out.warning(fmt::format("no time zone specified in the target time: taken as {}",
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
          fmt::format("'{}' is not a tablespace rule\nHINT: write NAME:LOCATION, for example ts1:/srv/ts1",
                      rule));
    }
    const std::string location = rule.substr(colon + 1);
    const auto path = std::filesystem::path(location).lexically_normal();
    moved[rule.substr(0, colon)] = (path.has_filename() ? path : path.parent_path()).string();
  }
  return moved;
}

bool is_configured(const config::Server& server, const char* recovery_option) {
  const auto configured = server.values.list("recovery_options");
  return std::ranges::find(configured, recovery_option) != configured.end();
}

// WAL that is in a bucket is fetched unless it is wanted here.
bool fetches_wal(const Options& options, const config::Server& server, const engine::Home& home) {
  if (options.get_wal != 0) return options.get_wal > 0;
  return home.wal_bucket || is_configured(server, "get-wal");
}

// In a destination that holds nothing there is nothing to keep: then the restore is like any other.
bool writes_differences(const Options& options, const config::Server& server,
                        const std::filesystem::path& destination) {
  const bool wanted = options.delta || (!options.no_delta && is_configured(server, "delta-restore"));
  return wanted && !engine::is_vacant(destination);
}

// The server runs it while it recovers, so a configuration file that barman would not find by itself is
// named. Only "not there" may end a recovery: a status above 125 stops it, to be started again. A standby
// asks again by itself.
std::string get_wal_command(const Options& options, const engine::Home& home,
                            const config::Configuration& configuration) {
  if (!options.restore_command.empty()) return options.restore_command;
  const std::filesystem::path file = std::filesystem::absolute(configuration.main_file);
  const bool is_found = file == "/etc/barman.conf" || file == "/etc/barman/barman.conf";
  const std::string with_file = is_found ? "" : "-c " + engine::command_word(file.string()) + " ";
  if (home.wal_bucket) {
    const char* otherwise = options.standby ? "" : " || exit $(( $? == 1 ? 1 : 255 ))";
    return fmt::format("barman {}cloud-wal-restore {} %f %p{}", with_file, home.server, otherwise);
  }
  if (options.standby) return fmt::format("barman {}get-wal {} %f > %p", with_file, home.server);
  // get-wal ends with 1 whatever is wrong, so then it is asked whether the file is there. If it is, or nobody
  // can tell, the file was not read for another reason.
  return fmt::format(
      "barman {0}get-wal -P {1} %f > %p || {{ there=$(barman {0}get-wal -p 1 {1} %f) && test -z \"$there\" "
      "&& "
      "exit 1; exit 255; }}",
      with_file, home.server);
}

unsigned workers(const Options& options, const config::Server& server) {
  return options.jobs.empty() ? default_workers(server) : static_cast<unsigned>(std::stoul(options.jobs));
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
                                  const std::vector<catalog::WalEntry>& index,
                                  const engine::WalFormat& format, report::Writer& out) {
  if (options.backup != "auto") return opened.resolve(options.backup, out);
  const auto backups = opened.backups(out);
  std::optional<pgformat::Timeline> timeline;
  if (target.timeline && *target.timeline != "current") {
    const auto newest = std::ranges::find_if(backups.rbegin(), backups.rend(), catalog::is_available);
    if (newest != backups.rend() && *target.timeline == "latest") {
      timeline = engine::resolve_timeline(opened.home, *newest, target.timeline, index, format);
    } else if (*target.timeline != "latest") {
      timeline = static_cast<pgformat::Timeline>(std::stoul(*target.timeline));
    }
  }
  return engine::choose_backup(backups, target, timeline);
}

// Absolute, without a slash at the end.
std::filesystem::path directory_of(const std::string& text) {
  if (text.empty()) throw Error(ErrorKind::kUsage, "the name of a directory is empty");
  const auto path = std::filesystem::absolute(text).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

// Links would make the restored server change the backup.
engine::CombineMode combine_mode(const Options& options, const config::Server& server, report::Writer& out) {
  const std::string mode =
      options.combine_mode.empty() ? server.values.text("combine_mode") : options.combine_mode;
  if (mode == "link") out.warning("combine mode link is not for restores on this host: files are copied");
  return mode == "clone" || mode == "copy-file-range" ? engine::CombineMode::kClone
                                                      : engine::CombineMode::kCopy;
}

// From the full backup to itself, if it is restored from its members.
std::vector<catalog::BackupInfo> chain_to(const engine::RestoreRequest& request,
                                          const ServerCatalog& opened) {
  const catalog::BackupInfo& backup = request.backup;
  if (!engine::is_read_as_chain(opened.home, backup, request.delta)) return {};
  if (!backup.parent_backup_id) return {backup};
  return engine::chain_of(opened.catalog.list().backups, backup);
}

engine::RestoreRequest request_of(const Options& options, const config::Server& server,
                                  const engine::Home& home, const Parts& parts, catalog::BackupInfo backup,
                                  engine::RecoveryTarget target) {
  engine::RestoreRequest request{
      .backup = std::move(backup),
      .destination = directory_of(options.destination),
      .target = std::move(target),
      .tablespaces = tablespaces_of(options),
      .standby = options.standby,
      .partial_wal = options.partial_wal,
      .recovery_file = options.recovery_file,
      .jobs = workers(options, server),
      .bytes_per_second = rate(options, server),
      .verify = options.verify >= 0,
      .wal_format = engine::WalFormat(server, parts.runner),
  };
  if (fetches_wal(options, server, home)) {
    request.get_wal_command = get_wal_command(options, home, parts.configuration);
  }
  if (!options.wal_directory.empty()) request.wal_directory = directory_of(options.wal_directory);
  if (options.recovery_file.find('/') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "--recovery-conf-filename must be a file name without a directory");
  }
  return request;
}

// What cannot be archived now must not keep a backup from being restored.
void archive_waiting_wal(const engine::Home& home, const config::Server& server, Parts& parts) {
  try {
    engine::archive_wal(home, engine::archive_settings(server, parts.runner),
                        engine::ArchiveTalk::kWhenThereAreFiles, parts.clock, parts.out, parts.stop);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCancelled) throw;
    parts.out.warning(
        fmt::format("waiting WAL could not be archived, so this restores without it: {}", e.what()));
  }
}

// Looked up anew, under its lock: it may have been deleted since it was chosen.
catalog::BackupInfo available_backup(const Options& options, const ServerCatalog& opened,
                                     const catalog::BackupId& id) {
  const auto backup = opened.catalog.find(id);
  if (!backup || !catalog::is_available(*backup)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("Cannot restore from backup '{}' of server '{}': backup status is not DONE",
                            options.backup, opened.home.server));
  }
  return *backup;
}

void announce_leftovers(const engine::RestorePlan& plan, report::Writer& out) {
  const engine::Leftovers& leftovers = plan.leftovers;
  const std::string removed = plan.knows_leftovers
                                  ? fmt::format("{} files ({}) that", leftovers.files,
                                                pretty_size(static_cast<double>(leftovers.bytes)))
                                  : "files that";
  out.info(fmt::format("Delta restore: only what differs is written; {} the backup does not have are removed",
                       removed));
  for (const std::string& link : leftovers.links) {
    out.warning(fmt::format("{} is a link and is removed: what it leads to stays as it is", link));
  }
}

void announce(const Options& options, const engine::RestoreRequest& request, const engine::RestorePlan& plan,
              const std::string& server, report::Writer& out) {
  const auto& backup = request.backup;
  out.info(fmt::format("Starting local restore for server {} using backup {}", server, backup.id.text));
  out.info(fmt::format("Destination directory: {}", request.destination.string()));
  if (request.target.is_pitr()) {
    engine::RecoveryTarget target = request.target;
    if (target.timeline) target.timeline = std::to_string(plan.wal.followed);
    out.info(fmt::format("Doing PITR. Recovery target {}", engine::describe(target)));
  }
  if (request.delta) announce_leftovers(plan, out);
  if (backup.status == catalog::BackupStatus::kWaitingForWals) {
    out.warning(fmt::format("backup {} still waits for WAL ({}): the server cannot be started without it",
                            backup.id.text, backup.end_wal.value_or("unknown")));
  }
  if (options.partial_wal && (request.get_wal_command || request.target.immediate)) {
    out.warning("--partial-wal has no effect with --get-wal or --target-immediate");
  }
  if (options.restore_command.empty()) return;
  if (request.get_wal_command) {
    out.info(fmt::format("Custom restore command override: restore_command = {}",
                         engine::quote_setting(options.restore_command)));
  } else {
    out.warning("--restore-command has no effect without --get-wal");
  }
}

void restore(Parts& parts, const config::Server& server, const Options& options) {
  refuse_what_comes_later(options, server);
  const engine::RecoveryTarget target = target_of(options, parts.out);
  if (options.destination.find(':') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "the destination directory must not contain ':'");
  }
  const ServerCatalog opened(server, parts);
  if (!options.skip_archive && server.active() && !server.passive()) {
    archive_waiting_wal(opened.home, server, parts);
  }
  const engine::WalFormat format(server, parts.runner);
  const auto index = engine::known_wal(opened.home, format, parts.out);
  const catalog::BackupInfo chosen = chosen_backup(options, opened, target, index, format, parts.out);
  std::vector<os::LockFile> locks;
  locks.push_back(hold_backup(opened, chosen, parts));
  auto request =
      request_of(options, server, opened.home, parts, available_backup(options, opened, chosen.id), target);
  request.delta = writes_differences(options, server, request.destination);
  request.chain = chain_to(request, opened);
  if (!request.chain.empty()) {
    request.combine_mode = combine_mode(options, server, parts.out);
    parts.out.debug("nothing is staged: staging options have no effect");
  }
  for (const catalog::BackupInfo& member : request.chain) {
    if (member.id != chosen.id) locks.push_back(hold_backup(opened, member, parts));
  }
  const auto plan = engine::plan_restore(opened.home, request, index, parts.clock.now());
  announce(options, request, plan, server.name, parts.out);
  const auto result = engine::execute_restore(opened.home, request, plan, parts.clock, parts.out, parts.stop);
  report::report_restore(result, request.get_wal_command.has_value(), request.recovery_file, parts.out);
}

}  // namespace

void register_restore(CLI::App& app, Body& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("restore", "Restores a backup of a server.");
  add_restore_options(*command, *options);
  command->callback([options, &chosen] {
    chosen = [options](Parts& parts) {
      if (const config::Server* server = select_server(parts, options->server, {}))
        restore(parts, *server, *options);
      return 0;
    };
  });
}

}  // namespace barman::cli
