#include "engine/restore/restore.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "engine/restore/combined_manifest.h"
#include "engine/restore/copy_plain.h"
#include "engine/restore/copy_wal.h"
#include "engine/restore/pace.h"
#include "engine/restore/recovery_files.h"
#include "engine/server/control_under_way.h"
#include "os/durable_file.h"
#include "os/fault_point.h"
#include "os/file_system_sync.h"
#include "pgformat/control_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

ChainCopy chain_copy(const RestoreRequest& request, const RestorePlan& plan) {
  return {.chain = request.chain,
          .plan = *plan.chain,
          .folders = plan.folders,
          .workers = request.jobs,
          .verify = request.verify,
          .mode = request.combine_mode,
          .rewrites = request.delta};
}

void copy_members(const RestoreRequest& request, const RestorePlan& plan, Clock& clock, Events& events,
                  const std::stop_token& stop, RestoreResult& result) {
  const auto report = [&](std::uint64_t done) {
    events.progress({.phase = "copying", .done = done, .expected = plan.bytes});
  };
  if (const auto warning = chain_warning(request.chain)) events.warning(*warning);
  if (!plan.chain->files) tell_that_nothing_is_checked(events);
  Pace pace(request.bytes_per_second, report, clock, stop);
  result.checked_files = copy_chain(chain_copy(request, plan), pace, stop);
}

void link_tablespaces(const RestorePlan& plan, const fs::path& destination, Events& events) {
  for (const RestoreFolder& folder : plan.folders) {
    if (folder.oid == 0) continue;
    const fs::path link = destination / "pg_tblspc" / std::to_string(folder.oid);
    os::make_directories(link.parent_path(), 0700);
    if (::symlink(folder.to.c_str(), link.c_str()) != 0) os::throw_errno("cannot link the tablespace", link);
    events.info(fmt::format("\t{}, {}, {}", folder.oid, folder.tablespace, folder.to.string()));
  }
}

void keep_records(const Home& home, const RestoreRequest& request, const RestorePlan& plan) {
  os::write_file(request.destination / ".barman-recover.info", catalog::format_backup_info(request.backup),
                 {.sync = false});
  const auto manifest =
      plan.chain ? plan.chain->members.back().manifest : manifest_on_disk(home.manifest(request.backup.id));
  if (!manifest) return;
  const auto copy =
      os::create_file(request.destination / ("backup_manifest." + request.backup.id.text), {.sync = false});
  manifest->read(*copy);
  copy->finish();
}

void bring_wal(const Home& home, const RestoreRequest& request, const RestorePlan& plan, Events& events,
               const std::stop_token& stop) {
  for (const std::string& warning : plan.wal.warnings) events.warning(warning);
  if (request.get_wal_command) return;
  events.info("Copying required WAL segments.");
  if (plan.wal.has_partial) events.info("Copying .partial WAL files.");
  copy_wal({.home = home,
            .plan = plan.wal,
            .folder = plan.wal_directory,
            .format = request.wal_format,
            .workers = request.jobs},
           stop);
  if (request.target.is_pitr()) return;
  events.info("Generating archive status files");
  write_archive_status(plan.wal, request.destination / "pg_wal/archive_status");
}

void configure(const RestoreRequest& request, const RestorePlan& plan, Events& events,
               RestoreResult& result) {
  const bool recovers = request.target.is_pitr() || request.get_wal_command || request.standby;
  if (recovers) events.info("Generating recovery configuration");
  events.info("Identify dangerous settings in destination directory.");
  ConfiguredFiles files = edit_configuration_files(request.destination);
  result.changes = std::move(files.changes);
  result.warnings = std::move(files.warnings);
  result.missing_files = std::move(files.missing);
  if (!recovers) return;
  write_recovery_settings(request.destination, request.recovery_file,
                          {.target = request.target,
                           .standby = request.standby,
                           .get_wal_command = request.get_wal_command,
                           .wal_directory = plan.wal_directory.string(),
                           .timeline = request.standby ? std::nullopt : plan.wal.timeline});
}

void write_manifest(const RestoreRequest& request, const RestorePlan& plan, const std::stop_token& stop) {
  write_combined_manifest(
      {.folders = plan.folders,
       .files = *plan.chain->files,
       .edited = {"backup_label", "postgresql.conf", "postgresql.auto.conf", request.recovery_file},
       .workers = request.jobs},
      stop);
}

// The last step: from here on the server can be started.
void publish(const RestoreRequest& request, const RestorePlan& plan) {
  os::fault_point("restore-before-control");
  os::move_file(request.destination / kControlUnderWay, request.destination / pgformat::kControlFile);
  remove_marks(all_folders(plan));
}

}  // namespace

RestoreResult execute_restore(const Home& home, const RestoreRequest& request, const RestorePlan& plan,
                              Clock& clock, Events& events, const std::stop_token& stop) {
  RestoreResult result;
  result.started = clock.now();
  std::optional<PlainCopy> plain;
  if (!plan.chain) plain.emplace(home, request, plan, events);

  const std::vector<RestoreFolder> folders = all_folders(plan);
  prepare_folders(folders);
  std::vector<os::FileSystemSync> syncs;
  syncs.reserve(folders.size());
  for (const RestoreFolder& folder : folders) syncs.emplace_back(folder.to);
  os::fault_point("restore-prepared");
  if (request.delta) clear_existing(plan.folders, files_of_backup(plan), request.backup);

  events.info("Copying the base backup.");
  if (plain) {
    plain->copy_files(clock, stop);
  } else {
    copy_members(request, plan, clock, events, stop, result);
  }
  link_tablespaces(plan, request.destination, events);
  os::make_directories(request.destination / "pg_wal/archive_status", 0700);
  keep_records(home, request, plan);
  bring_wal(home, request, plan, events, stop);
  configure(request, plan, events, result);
  if (plan.chain && plan.chain->files) write_manifest(request, plan, stop);

  events.progress({.phase = "syncing", .done = plan.bytes, .expected = plan.bytes});
  for (os::FileSystemSync& sync : syncs) sync.finish();
  os::fault_point("restore-synced");
  if (plain) {
    plain->copy_control_file();
    result.checked_files = plain->checked_files();
  }
  publish(request, plan);
  result.elapsed = clock.now() - result.started;
  return result;
}

}  // namespace barman::engine
