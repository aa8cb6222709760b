// The programs barman-cloud-*, one file each.
#pragma once

#include "cli/cloud/program.h"

namespace barman::cli {

void add_cloud_backup(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_backup_delete(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_backup_keep(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_backup_list(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_backup_show(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_check_wal_archive(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_restore(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_wal_archive(CLI::App& app, CloudOptions& options, CloudBody& body);
void add_cloud_wal_restore(CLI::App& app, CloudOptions& options, CloudBody& body);

}  // namespace barman::cli
