// The table of sub-commands. Each command's file has one function that adds it to the program; it is declared
// here and has its row in commands.cc.
#pragma once

#include <span>
#include <string_view>

#include "cli/command.h"

namespace barman::cli {

void register_archive_wal(CLI::App& app, Body& chosen);
void register_backup(CLI::App& app, Body& chosen);
void register_bucket_cleanup(CLI::App& app, Body& chosen);
void register_check(CLI::App& app, Body& chosen);
void register_check_archived_wal_range(CLI::App& app, Body& chosen);
void register_check_backup(CLI::App& app, Body& chosen);
void register_check_bucket(CLI::App& app, Body& chosen);
void register_check_wal_archive(CLI::App& app, Body& chosen);
void register_cloud_wal_archive(CLI::App& app, Body& chosen);
void register_cloud_wal_restore(CLI::App& app, Body& chosen);
void register_cron(CLI::App& app, Body& chosen);
void register_delete(CLI::App& app, Body& chosen);
void register_generate_manifest(CLI::App& app, Body& chosen);
void register_get_wal(CLI::App& app, Body& chosen);
void register_help(CLI::App& app, Body& chosen);
void register_keep(CLI::App& app, Body& chosen);
void register_list_files(CLI::App& app, Body& chosen);
void register_list_backups(CLI::App& app, Body& chosen);
void register_rebuild_xlogdb(CLI::App& app, Body& chosen);
void register_receive_wal(CLI::App& app, Body& chosen);
void register_restore(CLI::App& app, Body& chosen);
void register_show_backup(CLI::App& app, Body& chosen);
void register_diagnose(CLI::App& app, Body& chosen);
void register_list_servers(CLI::App& app, Body& chosen);
void register_show_servers(CLI::App& app, Body& chosen);
void register_switch_wal(CLI::App& app, Body& chosen);
void register_list_processes(CLI::App& app, Body& chosen);
void register_lock_directory_cleanup(CLI::App& app, Body& chosen);
void register_terminate_process(CLI::App& app, Body& chosen);
void register_verify_backup(CLI::App& app, Body& chosen);

struct CommandRow {
  std::string_view name;  // of the sub-command that the function adds
  Register add;
  std::string_view summary;
  int failure_status = 1;  // the exit status of a failure that has no other
};

// In alphabetical order.
std::span<const CommandRow> all_commands();

// The row of a sub-command or of one of its aliases; none if there is no such command.
const CommandRow* find_command(std::span<const CommandRow> commands, std::string_view word);

// Whether the original program has a sub-command of that name.
bool is_known_elsewhere(std::string_view word);

}  // namespace barman::cli
