// backup_label and timeline history files.
//
// Source: PostgreSQL's xlogbackup.c (build_backup_content) and timeline.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgformat/lsn.h"
#include "pgformat/wal_name.h"

namespace barman::pgformat {

struct BackupLabel {
  Lsn start;
  std::string start_wal;  // the name that stands in parentheses
  std::optional<Timeline> timeline{};
  std::string label;
  std::optional<Lsn> incremental_from{};
};

// Throws kCorrupt if START WAL LOCATION is missing or malformed.
BackupLabel parse_backup_label(std::string_view text);

// The label of the full backup that a chain of incremental ones makes: that of the last, without the lines
// that say what it is built on.
std::string combined_backup_label(std::string_view text);

struct HistoryEntry {
  Timeline parent = 0;
  Lsn switched_at;
  std::string reason;
};

// Oldest first. Comments and empty lines are skipped; throws kCorrupt on any other line that is not
// three fields, or when no entry is left.
std::vector<HistoryEntry> parse_history(std::string_view text);

}  // namespace barman::pgformat
