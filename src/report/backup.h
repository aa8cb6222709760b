// What barman backup leaves: in JSON, the record of the backup.
#pragma once

#include <string>

#include "catalog/backup_info.h"

namespace barman::report {

class Writer;

// The keys of the record, at the top level: with several servers the last one wins. Nothing on the console,
// where the events of the backup said it all.
void report_backup(const catalog::BackupInfo& info, Writer& out);

// The record as a JSON object whose times are ISO 8601: for diagnose.
std::string backup_record_json(const catalog::BackupInfo& info);

}  // namespace barman::report
