#include "config/option.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace barman::config {
namespace {

constexpr Scope kGlobal{.global = true};
constexpr Scope kServer{.server = true};
constexpr Scope kModel{.model = true};
constexpr Scope kGlobalAndServer{.global = true, .server = true};
constexpr Scope kServerAndModel{.server = true, .model = true};
constexpr Scope kAll{.global = true, .server = true, .model = true};

constexpr std::string_view kPlacesAndProgram = "Places and program";
constexpr std::string_view kIdentityAndState = "Identity and state";
constexpr std::string_view kConnections = "Connections";
constexpr std::string_view kFolderOptions = "Folders";
constexpr std::string_view kBaseBackup = "Base backup";
constexpr std::string_view kWal = "WAL";
constexpr std::string_view kRetentionAndRestore = "Retention and restore";
constexpr std::string_view kObjectStoresAndVolumeSnapshots = "Object stores and volume snapshots";
constexpr std::string_view kHookScripts = "Hook scripts";

constexpr std::string_view kCreateSlotChoices[] = {"manual", "auto"};
constexpr std::string_view kBackupMethodChoices[] = {"rsync", "postgres", "local-rsync", "snapshot",
                                                     "local-to-cloud"};
constexpr std::string_view kBackupOptionsChoices[] = {"concurrent_backup", "exclusive_backup",
                                                      "external_configuration"};
constexpr std::string_view kReuseBackupChoices[] = {"copy", "link", "off"};
constexpr std::string_view kBackupCompressionChoices[] = {"gzip", "lz4", "zstd", "bzip2", "xz", "none"};
constexpr std::string_view kBackupCompressionFormatChoices[] = {"plain", "tar"};
constexpr std::string_view kBackupCompressionLocationChoices[] = {"client", "server"};
constexpr std::string_view kCompressionChoices[] = {"gzip", "bzip2", "pygzip", "pybzip2", "pigz",
                                                    "xz",   "zstd",  "lz4",    "snappy",  "custom"};
constexpr std::string_view kEncryptionChoices[] = {"none", "gpg"};
constexpr std::string_view kRetentionPolicyModeChoices[] = {"auto"};
constexpr std::string_view kWalRetentionPolicyChoices[] = {"main"};
constexpr std::string_view kRecoveryOptionsChoices[] = {"get-wal", "delta-restore"};
constexpr std::string_view kStagingLocationChoices[] = {"local", "remote"};
constexpr std::string_view kCombineModeChoices[] = {"copy", "link", "clone", "copy-file-range"};
constexpr std::string_view kAwsEncryptionChoices[] = {"AES256", "aws:kms"};
constexpr std::string_view kAwsSnapshotLockModeChoices[] = {"governance", "compliance"};

using enum OptionType;

constexpr bool kCurrent = false;
constexpr bool kDeprecated = true;
constexpr bool kRequired = true;

// name, scope, type, default, choices, group, and below: meaning, whether deprecated, whether required
// clang-format off
constexpr Option kOptions[] = {
    // Places and program
    {"barman_home", kGlobal, kPath, "", {}, kPlacesAndProgram,
     "Root folder: each server has a folder of its own in it.", kCurrent, kRequired},
    {"barman_user", kGlobal, kText, "barman", {}, kPlacesAndProgram,
     "Operating-system user that the program runs as. Started as root, it changes to this user."},
    {"barman_lock_directory", kGlobal, kPath, "%(barman_home)s", {}, kPlacesAndProgram,
     "Folder of the lock files. It must be on a local file system and must exist."},
    {"lock_directory_cleanup", kGlobal, kFlag, "true", {}, kPlacesAndProgram,
     "Whether `cron` removes lock files that nobody holds."},
    {"config_changes_queue", kGlobal, kPath, "%(barman_home)s/cfg_changes.queue", {}, kPlacesAndProgram,
     "File with the changes of `config-update` that wait to be applied."},
    {"configuration_files_directory", kGlobal, kPath, "", {}, kPlacesAndProgram,
     "Folder whose `*.conf` files are read after the main file, in order of their names. A leading `~` "
     "is the home folder."},
    {"log_file", kGlobal, kPath, "", {}, kPlacesAndProgram,
     "File that messages are appended to. Unset, they go to standard error."},
    {"log_level", kGlobal, kText, "INFO", {}, kPlacesAndProgram,
     "How much is logged: DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number."},
    {"log_format", kGlobal, kText, "", {}, kPlacesAndProgram,
     "Shape of a log line, in the percent notation of Python's logging. Each percent sign is written "
     "twice."},
    // Identity and state
    {"active", kServerAndModel, kFlag, "true", {}, kIdentityAndState,
     "`false` puts the server into maintenance: commands that change something skip it."},
    {"disabled", kServerAndModel, kFlag, "false", {}, kIdentityAndState,
     "Set by the program when the configuration of a server is in error. Setting it in a server section "
     "does nothing."},
    {"description", kServerAndModel, kText, "", {}, kIdentityAndState,
     "Free text for `list-servers` and `status`."},
    {"cluster", kServerAndModel, kText, "%(name)s", {}, kIdentityAndState,
     "Name that servers and models share: a model applies to servers of its own cluster."},
    {"model", kModel, kFlag, "", {}, kIdentityAndState,
     "`true` makes the section a model: a set of values that a server can be switched to.", kCurrent, kRequired},
    {"path_prefix", kAll, kText, "", {}, kIdentityAndState,
     "Folders, parted by colons, in which programs are looked for before `PATH`."},
    {"check_timeout", kAll, kNumber, "30", {}, kIdentityAndState,
     "Seconds that the checks of a server may take together. 0: no limit."},
    {"forward_config_path", kAll, kFlag, "false", {}, kIdentityAndState,
     "On a passive node: whether the primary node is asked with the same `-c` file."},
    {"primary_ssh_command", kAll, kText, "", {}, kIdentityAndState,
     "How to reach the node whose backups this one copies. Setting it makes the server passive."},
    {"ssh_command", kServerAndModel, kText, "", {}, kIdentityAndState,
     "How to reach the PostgreSQL host. Needed by `backup_method = rsync` and `snapshot`; must be unset "
     "for `local-rsync`."},
    {"worm_mode", kAll, kFlag, "false", {}, kIdentityAndState,
     "For storage that cannot be changed: WAL older than the first backup is never removed."},
    // Connections
    {"conninfo", kServerAndModel, kConninfo, "", {}, kConnections,
     "Connection to PostgreSQL: `key=value` words or a `postgresql://` URI."},
    {"streaming_conninfo", kServerAndModel, kConninfo, "%(conninfo)s", {}, kConnections,
     "Replication connection for base backups and WAL streaming."},
    {"wal_conninfo", kServerAndModel, kConninfo, "", {}, kConnections,
     "Connection used to watch WAL streaming, if it is not `conninfo`."},
    {"wal_streaming_conninfo", kServerAndModel, kConninfo, "", {}, kConnections,
     "Replication connection used to receive WAL, if it is not `streaming_conninfo`."},
    {"primary_conninfo", kServerAndModel, kConninfo, "", {}, kConnections,
     "Connection to the primary when `conninfo` leads to a standby. Used to make the primary switch WAL."},
    {"primary_checkpoint_timeout", kServerAndModel, kNumber, "0", {}, kConnections,
     "Seconds to wait for WAL during a backup from a standby before the primary is asked for a "
     "checkpoint. 0: never."},
    {"keepalive_interval", kAll, kNumber, "60", {}, kConnections,
     "Seconds between the queries that keep the connection of a long backup open. 0: none."},
    {"slot_name", kAll, kSlotName, "", {}, kConnections,
     "Physical replication slot that holds back WAL for `receive-wal`. Needed when WAL only comes by "
     "streaming."},
    {"create_slot", kAll, kChoice, "manual", kCreateSlotChoices, kConnections,
     "`auto`: `receive-wal` creates a missing slot."},
    // Folders
    {"backup_directory", kServer, kPath, "%(barman_home)s/%(name)s", {}, kFolderOptions,
     "Root folder of the server."},
    {"basebackups_directory", kServer, kPathOrUrl, "%(backup_directory)s/base", {}, kFolderOptions,
     "Base backups, one folder each. A URL (`s3://…`) keeps them in an object store."},
    {"wals_directory", kServer, kPathOrUrl, "%(backup_directory)s/wals", {}, kFolderOptions,
     "Archived WAL. A URL (`s3://…`) keeps it in an object store."},
    {"incoming_wals_directory", kServer, kPath, "%(backup_directory)s/incoming", {}, kFolderOptions,
     "Where `archive_command` or `put-wal` leaves WAL."},
    {"streaming_wals_directory", kServer, kPath, "%(backup_directory)s/streaming", {}, kFolderOptions,
     "Where `receive-wal` writes WAL."},
    {"errors_directory", kServer, kPath, "%(backup_directory)s/errors", {}, kFolderOptions,
     "WAL files that could not be archived."},
    {"xlogdb_directory", kGlobalAndServer, kPath, "%(wals_directory)s", {}, kFolderOptions,
     "Where the list of archived WAL (`‹server›-xlog.db`) is kept."},
    // Base backup
    {"backup_method", kAll, kChoice, "rsync", kBackupMethodChoices, kBaseBackup,
     "How base backups are taken. `postgres`: over the replication protocol."},
    {"backup_options", kAll, kChoiceSet, "", kBackupOptionsChoices, kBaseBackup,
     "`external_configuration` silences the warning about configuration files outside of the data "
     "directory. `exclusive_backup` needs PostgreSQL 14 or older."},
    {"immediate_checkpoint", kAll, kFlag, "false", {}, kBaseBackup,
     "Whether a backup starts with a fast checkpoint instead of a spread one."},
    {"reuse_backup", kAll, kChoice, "", kReuseBackupChoices, kBaseBackup,
     "rsync methods: `link` and `copy` transfer only the files that changed since the last backup."},
    {"parallel_jobs", kAll, kNumber, "1", {}, kBaseBackup,
     "Workers that copy at the same time in backup and restore."},
    {"parallel_jobs_start_batch_size", kAll, kNumber, "10", {}, kBaseBackup,
     "How many workers may start within one `parallel_jobs_start_batch_period`."},
    {"parallel_jobs_start_batch_period", kAll, kNumber, "1", {}, kBaseBackup,
     "Seconds; see `parallel_jobs_start_batch_size`."},
    {"network_compression", kAll, kFlag, "false", {}, kBaseBackup,
     "rsync methods: whether data is compressed on its way."},
    {"bandwidth_limit", kAll, kBandwidth, "", {}, kBaseBackup,
     "Highest speed of a copy in kilobytes per second. 0 or unset: no limit."},
    {"tablespace_bandwidth_limit", kAll, kTablespaceLimits, "", {}, kBaseBackup,
     "rsync methods: `name:limit` for single tablespaces, parted by blanks or commas."},
    {"basebackup_retry_times", kAll, kNumber, "0", {}, kBaseBackup,
     "How often a failed copy is tried again."},
    {"basebackup_retry_sleep", kAll, kNumber, "30", {}, kBaseBackup,
     "Seconds between such attempts."},
    {"autogenerate_manifest", kAll, kFlag, "false", {}, kBaseBackup,
     "rsync methods: whether a successful backup gets a `backup_manifest`."},
    {"backup_compression", kAll, kChoice, "", kBackupCompressionChoices, kBaseBackup,
     "Compression of base backups (`postgres` method); `bzip2` and `xz` on this side only. `none`: an "
     "uncompressed tar archive. Unset: plain files."},
    {"backup_compression_format", kAll, kChoice, "", kBackupCompressionFormatChoices, kBaseBackup,
     "Whether a compressed backup is stored as tar archives or as plain files."},
    {"backup_compression_location", kAll, kChoice, "", kBackupCompressionLocationChoices, kBaseBackup,
     "Where a backup is compressed. `server` needs PostgreSQL 15."},
    {"backup_compression_level", kAll, kNumber, "", {}, kBaseBackup,
     "Level of `backup_compression`; the range depends on the algorithm. Unset: `zstd` 1, `gzip` 6, `lz4` 0, "
     "`bzip2` 5, `xz` 3; on the server its own."},
    {"backup_compression_workers", kAll, kNumber, "", {}, kBaseBackup,
     "Threads that compress. Unset: the cores but one. On the server `zstd` only, and one."},
    {"streaming_backup_name", kAll, kText, "barman_streaming_backup", {}, kBaseBackup,
     "`application_name` of the connection that takes a base backup."},
    {"minimum_redundancy", kAll, kRedundancy, "0", {}, kBaseBackup,
     "How many good full backups must always remain: `delete` and the retention policy keep to it."},
    {"last_backup_maximum_age", kAll, kInterval, "", {}, kBaseBackup,
     "`check` fails when the newest backup is older, e.g. `1 day`."},
    {"last_backup_minimum_size", kAll, kSize, "", {}, kBaseBackup,
     "`check` fails when the newest backup is smaller, e.g. `10Gi`."},
    {"warehousepg_dbid", kAll, kNumber, "", {}, kBaseBackup,
     "WarehousePG: the target's database id for local base backups."},
    // WAL
    {"archiver", kAll, kFlag, "false", {}, kWal,
     "Whether WAL comes through `incoming_wals_directory`."},
    {"archiver_batch_size", kAll, kNumber, "0", {}, kWal,
     "Most files that one run archives from there. 0: all."},
    {"streaming_archiver", kAll, kFlag, "false", {}, kWal,
     "Whether WAL comes by streaming (`receive-wal`)."},
    {"streaming_archiver_batch_size", kAll, kNumber, "0", {}, kWal,
     "Most files that one run archives from there. 0: all."},
    {"streaming_archiver_name", kAll, kText, "barman_receive_wal", {}, kWal,
     "`application_name` of the connection that streams WAL. Named in `synchronous_standby_names`, it "
     "makes commits wait until their WAL is safe here."},
    {"max_incoming_wals_queue", kAll, kNumber, "", {}, kWal,
     "`check` fails when more WAL files than this wait to be archived."},
    {"last_wal_maximum_age", kAll, kInterval, "", {}, kWal,
     "`check` fails when the newest archived WAL file is older, e.g. `1 hour`."},
    {"compression", kAll, kChoice, "", kCompressionChoices, kWal,
     "Compression of archived WAL. `pygzip`, `pybzip2` and `custom` are deprecated."},
    {"compression_level", kAll, kCompressionLevel, "medium", {}, kWal,
     "`low`, `medium`, `high` or a number, which is brought into the range of the algorithm."},
    {"custom_compression_filter", kAll, kCommand, "", {}, kWal,
     "Shell command that compresses standard input to standard output (`compression = custom`).", kDeprecated},
    {"custom_decompression_filter", kAll, kCommand, "", {}, kWal,
     "Shell command that does the reverse.", kDeprecated},
    {"custom_compression_magic", kAll, kText, "", {}, kWal,
     "First bytes of a file that the custom filter made, as `0x‹hex›`.", kDeprecated},
    {"encryption", kAll, kChoice, "", kEncryptionChoices, kWal,
     "Encryption of backups and archived WAL. `none` on a server switches off a global `gpg`."},
    {"encryption_key_id", kAll, kText, "", {}, kWal,
     "Recipient of the encryption; needed with `encryption = gpg`."},
    {"encryption_passphrase_command", kAll, kCommand, "", {}, kWal,
     "Shell command that prints the passphrase, within 60 seconds; needed to read encrypted data."},
    // Retention and restore
    {"retention_policy", kAll, kRetentionPolicy, "", {}, kRetentionAndRestore,
     "What is kept: `REDUNDANCY 3` or `RECOVERY WINDOW OF 2 WEEKS` (`DAYS`, `WEEKS`, `MONTHS`). Unset: "
     "everything."},
    {"retention_policy_mode", kAll, kChoice, "auto", kRetentionPolicyModeChoices, kRetentionAndRestore,
     "Only `auto`."},
    {"wal_retention_policy", kAll, kChoice, "main", kWalRetentionPolicyChoices, kRetentionAndRestore,
     "Only `main`: WAL is kept as long as a backup needs it."},
    {"recovery_options", kAll, kChoiceSet, "", kRecoveryOptionsChoices, kRetentionAndRestore,
     "Defaults of `restore`: `get-wal` fetches WAL on demand instead of copying it."},
    {"staging_path", kAll, kAbsolutePath, "", {}, kRetentionAndRestore,
     "Work folder for restoring compressed, encrypted or incremental backups."},
    {"staging_location", kAll, kExactChoice, "local", kStagingLocationChoices, kRetentionAndRestore,
     "Which host `staging_path` is on."},
    {"recovery_staging_path", kAll, kAbsolutePath, "", {}, kRetentionAndRestore,
     "Older form of `staging_path`, for compressed backups.", kDeprecated},
    {"local_staging_path", kAll, kAbsolutePath, "", {}, kRetentionAndRestore,
     "Older form of `staging_path`, for incremental and encrypted backups.", kDeprecated},
    {"combine_mode", kAll, kChoice, "copy", kCombineModeChoices, kRetentionAndRestore,
     "How files of incremental backups are combined."},
    // Object stores and volume snapshots
    {"aws_check_object_lock", kAll, kFlag, "off", {}, kObjectStoresAndVolumeSnapshots,
     "Whether object locks are looked at before a backup is deleted."},
    {"aws_encryption", kAll, kExactChoice, "", kAwsEncryptionChoices, kObjectStoresAndVolumeSnapshots,
     "Encryption that S3 applies to what is uploaded."},
    {"aws_sse_kms_key_id", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Key for `aws_encryption = aws:kms`."},
    {"aws_sse_customer_key", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "`file://` and the absolute path of a file with the key that S3 encrypts with."},
    {"aws_read_timeout", kAll, kNumber, "", {}, kObjectStoresAndVolumeSnapshots,
     "Seconds until an unanswered S3 request fails."},
    {"aws_profile", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Profile of the AWS configuration files."},
    {"aws_region", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "AWS region."},
    {"aws_await_snapshots_timeout", kAll, kNumber, "3600", {}, kObjectStoresAndVolumeSnapshots,
     "Seconds to wait for AWS snapshots."},
    {"aws_snapshot_lock_mode", kAll, kChoice, "", kAwsSnapshotLockModeChoices, kObjectStoresAndVolumeSnapshots,
     "Lock mode of AWS snapshots."},
    {"aws_snapshot_lock_duration", kAll, kNumber, "", {}, kObjectStoresAndVolumeSnapshots,
     "Days that a snapshot is locked, 1 to 36500."},
    {"aws_snapshot_lock_expiration_date", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "When the lock of a snapshot ends, as `2026-01-31T12:00:00.000Z`."},
    {"aws_snapshot_lock_cool_off_period", kAll, kNumber, "", {}, kObjectStoresAndVolumeSnapshots,
     "Hours in which a `compliance` lock can be changed, 1 to 72."},
    {"azure_credential", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "`azure-cli`, `managed-identity` or `default`."},
    {"azure_resource_group", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Azure resource group."},
    {"azure_subscription_id", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Azure subscription; needed with `snapshot_provider = azure`."},
    {"cloud_delete_batch_size", kAll, kNumber, "", {}, kObjectStoresAndVolumeSnapshots,
     "Most objects that one delete request names."},
    {"cloud_staging_directory", kAll, kAbsolutePath, "/tmp/barman/cloud-staging", {}, kObjectStoresAndVolumeSnapshots,
     "Accepted for compatibility: uploads need no staging folder here."},
    {"cloud_staging_max_size", kAll, kSize, "30Gi", {}, kObjectStoresAndVolumeSnapshots,
     "Accepted for compatibility."},
    {"cloud_upload_max_archive_size", kGlobalAndServer, kSize, "100Gi", {}, kObjectStoresAndVolumeSnapshots,
     "Size at which an uploaded archive is continued in another."},
    {"cloud_upload_min_chunk_size", kGlobalAndServer, kSize, "", {}, kObjectStoresAndVolumeSnapshots,
     "Smallest part of a multipart upload."},
    {"cloud_wal_archive_parallel", kAll, kNumber, "0", {}, kObjectStoresAndVolumeSnapshots,
     "WAL files that `cloud-wal-archive` uploads ahead."},
    {"cloud_wal_restore_parallel", kAll, kNumber, "0", {}, kObjectStoresAndVolumeSnapshots,
     "WAL files that `cloud-wal-restore` downloads ahead."},
    {"snapshot_provider", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Cloud of `backup_method = snapshot`: `aws`, `azure` or `gcp`."},
    {"snapshot_instance", kServerAndModel, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Name of the instance whose volumes are snapshotted."},
    {"snapshot_disks", kServerAndModel, kTextList, "", {}, kObjectStoresAndVolumeSnapshots,
     "Names of the volumes, parted by commas."},
    {"gcp_project", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Google Cloud project."},
    {"gcp_zone", kServerAndModel, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Google Cloud zone."},
    {"snapshot_gcp_project", kAll, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Older name of `gcp_project`.", kDeprecated},
    {"snapshot_zone", kServerAndModel, kText, "", {}, kObjectStoresAndVolumeSnapshots,
     "Older name of `gcp_zone`.", kDeprecated},
    // Hook scripts
    {"pre_backup_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a base backup is taken."},
    {"pre_backup_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a base backup is taken, again and again until it exits with 0, "
     "62 or 63."},
    {"post_backup_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a base backup is taken, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_backup_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a base backup is taken."},
    {"pre_delete_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a backup is deleted."},
    {"pre_delete_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a backup is deleted, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_delete_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a backup is deleted, again and again until it exits with 0, 62 or "
     "63."},
    {"post_delete_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a backup is deleted."},
    {"pre_archive_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a WAL file is archived."},
    {"pre_archive_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a WAL file is archived, again and again until it exits with 0, "
     "62 or 63."},
    {"post_archive_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a WAL file is archived, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_archive_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a WAL file is archived."},
    {"pre_wal_delete_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a WAL file is deleted."},
    {"pre_wal_delete_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a WAL file is deleted, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_wal_delete_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a WAL file is deleted, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_wal_delete_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a WAL file is deleted."},
    {"pre_recovery_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a backup is restored."},
    {"pre_recovery_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run before a backup is restored, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_recovery_retry_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a backup is restored, again and again until it exits with 0, 62 "
     "or 63."},
    {"post_recovery_script", kGlobalAndServer, kCommand, "", {}, kHookScripts,
     "Shell command that is run after a backup is restored."},
};
// clang-format on

constexpr std::size_t kCount = std::size(kOptions);

// The rows in the order of their names.
constexpr std::array<std::uint16_t, kCount> kByName = [] {
  std::array<std::uint16_t, kCount> rows{};
  for (std::size_t i = 0; i < kCount; ++i) rows[i] = static_cast<std::uint16_t>(i);
  std::sort(rows.begin(), rows.end(),
            [](std::uint16_t a, std::uint16_t b) { return kOptions[a].name < kOptions[b].name; });
  return rows;
}();

}  // namespace

std::span<const Option> all_options() { return kOptions; }

const Option* find_option(std::string_view name) {
  const auto* found = std::lower_bound(
      kByName.begin(), kByName.end(), name,
      [](std::uint16_t row, std::string_view wanted) { return kOptions[row].name < wanted; });
  if (found == kByName.end() || kOptions[*found].name != name) return nullptr;
  return &kOptions[*found];
}

std::size_t row_of(const Option& option) { return static_cast<std::size_t>(&option - kOptions); }

}  // namespace barman::config
