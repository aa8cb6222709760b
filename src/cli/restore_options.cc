#include "cli/restore_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/arguments.h"

namespace barman::cli {

namespace {

void add_target_options(CLI::App& command, RestoreOptions& options) {
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

void add_copy_options(CLI::App& command, RestoreOptions& options) {
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
  command.add_option("--staging-path", options.staging_path, "Accepted; no restore needs staging.");
  command.add_option("--staging-location", options.staging_location, "Accepted; no restore needs staging.")
      ->check(CLI::IsMember({"local", "remote"}));
  command.add_option("--recovery-staging-path,--local-staging-path", options.old_staging,
                     "Accepted; no restore needs staging.");
  command
      .add_option("--combine-mode", options.combine_mode,
                  "How whole files of a chain of incremental backups are made.")
      ->check(CLI::IsMember({"copy", "link", "clone", "copy-file-range"}));
}

void add_wal_options(CLI::App& command, RestoreOptions& options) {
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

void add_later_options(CLI::App& command, RestoreOptions& options) {
  command.add_option("--remote-ssh-command", options.remote_command,
                     "Restore to another host (not in this build).");
  command.add_option("--recovery-option-port", options.port,
                     "For restores to another host (not in this build).");
  command.add_flag("--delta-restore", options.delta,
                   "Restore over an earlier state of the cluster, writing only what differs.");
  command.add_flag("--no-delta-restore", options.no_delta, "Restore to an empty directory.");
  command.add_flag("--network-compression", options.network_compression,
                   "For restores to another host (not in this build).");
  command.add_flag("--no-network-compression", options.no_network_compression, "Accepted.");
  command.add_option("--snapshot-recovery-instance", options.snapshot_instance,
                     "For volume snapshots (not in this build).");
  command.add_option("--gcp-zone,--snapshot-recovery-zone,--azure-resource-group,--aws-region",
                     options.cloud_place, "For volume snapshots (not in this build).");
}

}  // namespace

void add_restore_options(CLI::App& command, RestoreOptions& options) {
  command.add_option("server_name", options.server, "The server.")->required();
  command.add_option("backup_id", options.backup, "The backup: an id, a name, latest, oldest, auto …")
      ->required();
  command.add_option("destination_directory", options.destination, "Where the data directory is restored.")
      ->required();
  add_target_options(command, options);
  add_copy_options(command, options);
  add_wal_options(command, options);
  add_later_options(command, options);
}

}  // namespace barman::cli
