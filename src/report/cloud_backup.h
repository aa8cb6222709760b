// What is known about the backups of a bucket, for people and as JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/backup_info.h"

namespace barman::report {

// "Backup ID           End Time …", a line each.
std::string cloud_list_text(const std::vector<catalog::BackupInfo>& backups,
                            const std::map<catalog::BackupId, std::string>& kept);
std::string cloud_list_json(const std::vector<catalog::BackupInfo>& backups);

std::string cloud_backup_text(const catalog::BackupInfo& info);
std::string cloud_backup_json(const catalog::BackupInfo& info);

}  // namespace barman::report
