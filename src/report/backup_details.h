// show-backup: all that is known about one backup.
#pragma once

#include "engine/show/backups.h"
#include "report/writer.h"

namespace barman::report {

void report_backup_details(const engine::BackupDetails& details, Writer& out);

}  // namespace barman::report
