#include "cli/commands.h"

#include <algorithm>
#include <array>
#include <utility>

namespace barman::cli {
namespace {

// 1 is for "not in the archive" alone, which ends a recovery.
constexpr int kWalRestoreFailed = 2;

constexpr CommandRow kCommands[] = {
    {"archive-wal", register_archive_wal, "Move WAL that has arrived into the archive, once."},
    {"backup", register_backup, "Take a base backup of servers."},
    {"bucket-cleanup", register_bucket_cleanup, "Remove from a bucket what dead runs left there."},
    {"check", register_check, "Check whether servers are in order."},
    {"check-archived-wal-range", register_check_archived_wal_range,
     "Check that a range of WAL segments is archived."},
    {"check-backup", register_check_backup, "Check whether a backup has all the WAL that it needs."},
    {"check-bucket", register_check_bucket, "Try out all that servers need of their buckets."},
    {"check-wal-archive", register_check_wal_archive,
     "Check that a WAL archive may be used for a new cluster."},
    {"cloud-wal-archive", register_cloud_wal_archive,
     "Store a WAL file in the server's bucket, as archive_command."},
    {"cloud-wal-restore", register_cloud_wal_restore,
     "Fetch a WAL file from the server's bucket, as restore_command.", kWalRestoreFailed},
    {"cron", register_cron, "Start the background work of all servers."},
    {"delete", register_delete, "Delete a backup."},
    {"diagnose", register_diagnose, "Show all that is known of servers and backups."},
    {"generate-manifest", register_generate_manifest, "Write the manifest of a backup that has none."},
    {"get-wal", register_get_wal, "Hand out a WAL file."},
    {"help", register_help, "Show this help."},
    {"keep", register_keep, "Keep a backup whatever the retention policy says."},
    {"list-backups", register_list_backups, "List the backups of servers."},
    {"list-files", register_list_files, "List the files of a backup."},
    {"list-processes", register_list_processes, "List the background processes of a server."},
    {"list-servers", register_list_servers, "List the servers of the configuration."},
    {"lock-directory-cleanup", register_lock_directory_cleanup, "Remove lock files that nobody holds."},
    {"rebuild-xlogdb", register_rebuild_xlogdb, "Make the index of archived WAL anew."},
    {"receive-wal", register_receive_wal, "Receive a server's WAL by streaming replication."},
    {"restore", register_restore, "Restore a backup, up to a point in time."},
    {"show-backup", register_show_backup, "Show what is known about a backup."},
    {"show-servers", register_show_servers,
     "Show the options of servers and what PostgreSQL says of itself."},
    {"switch-wal", register_switch_wal, "Have servers close the WAL segment that they are writing."},
    {"terminate-process", register_terminate_process, "End a background process of a server."},
    {"verify-backup", register_verify_backup, "Check the files of a backup against its manifest."},
};

constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"list-backup", "list-backups"}, {"list-process", "list-processes"}, {"list-server", "list-servers"},
    {"recover", "restore"},          {"show-backups", "show-backup"},    {"show-server", "show-servers"},
    {"switch-xlog", "switch-wal"},   {"verify", "verify-backup"},
};

// The sub-commands of Barman 3.20.1.
constexpr std::string_view kOfTheOriginal[] = {
    "archive-wal",
    "backup",
    "check",
    "check-archived-wal-range",
    "check-backup",
    "check-wal-archive",
    "cloud-wal-archive",
    "cloud-wal-restore",
    "config-switch",
    "config-update",
    "cron",
    "delete",
    "diagnose",
    "export-backup",
    "generate-manifest",
    "get-wal",
    "help",
    "import-backup",
    "keep",
    "list-backups",
    "list-files",
    "list-processes",
    "list-servers",
    "lock-directory-cleanup",
    "put-wal",
    "rebuild-xlogdb",
    "receive-wal",
    "replication-status",
    "restore",
    "show-backup",
    "show-servers",
    "status",
    "switch-wal",
    "sync-backup",
    "sync-info",
    "sync-wals",
    "terminate-process",
    "verify-backup",
};

std::string_view without_alias(std::string_view word) {
  const auto* alias =
      std::ranges::find(kAliases, word, &std::pair<std::string_view, std::string_view>::first);
  return alias == std::end(kAliases) ? word : alias->second;
}

}  // namespace

std::span<const CommandRow> all_commands() { return kCommands; }

const CommandRow* find_command(std::span<const CommandRow> commands, std::string_view word) {
  const auto row = std::ranges::find(commands, without_alias(word), &CommandRow::name);
  return row == commands.end() ? nullptr : &*row;
}

bool is_known_elsewhere(std::string_view word) {
  return std::ranges::find(kOfTheOriginal, without_alias(word)) != std::end(kOfTheOriginal);
}

}  // namespace barman::cli
