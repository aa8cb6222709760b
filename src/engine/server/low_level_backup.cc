#include "engine/server/low_level_backup.h"

#include <array>

#include "base/clock.h"
#include "base/error.h"
#include "catalog/timestamp.h"
#include "engine/server/backup_record.h"
#include "engine/server/inspect.h"
#include "pgformat/wal_name.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

constexpr int kRenamedFunctions = 150000;  // pg_start_backup became pg_backup_start
constexpr int kIdleTimeout = 140000;       // idle_session_timeout exists

}  // namespace

bool LowLevelBackup::has_new_names() const { return facts_.version >= kRenamedFunctions; }

void LowLevelBackup::start(catalog::BackupInfo& info, const std::string& label, bool fast_checkpoint,
                           Clock& clock) {
  if (facts_.version >= kIdleTimeout) session_.query("SET idle_session_timeout TO 0");
  const std::array<std::string, 2> parameters{label, fast_checkpoint ? "true" : "false"};
  const auto rows = session_.query(has_new_names() ? "SELECT pg_catalog.pg_backup_start($1, $2::bool)"
                                                   : "SELECT pg_catalog.pg_start_backup($1, $2::bool, false)",
                                   parameters);
  const auto begin = pgformat::parse_lsn(rows.at(0).at(0).value_or(""));
  if (!begin) throw Error(ErrorKind::kFailed, "the server does not say where the backup begins");
  info.begin_xlog = *begin;
  info.begin_offset = pgformat::offset_in_segment(*begin, facts_.segment_size);
  info.timeline = facts_.timeline;
  if (facts_.timeline) {
    info.begin_wal =
        pgformat::format_segment(pgformat::segment_of(*begin, *facts_.timeline, facts_.segment_size));
  }
  info.begin_time = catalog::local_timestamp(clock.now());
  info.status = catalog::BackupStatus::kStarted;
}

std::string LowLevelBackup::stop(catalog::BackupInfo& info, Clock& clock) {
  const auto rows =
      session_.query(has_new_names() ? "SELECT lsn, labelfile FROM pg_catalog.pg_backup_stop()"
                                     : "SELECT lsn, labelfile FROM pg_catalog.pg_stop_backup(false)");
  const auto end = pgformat::parse_lsn(rows.at(0).at(0).value_or(""));
  std::string label = rows.at(0).at(1).value_or("");
  if (!end) throw Error(ErrorKind::kFailed, "the server does not say where the backup ends");
  record_label(info, label);
  record_end(info, {.lsn = *end, .timeline = info.timeline.value_or(1)},
             catalog::local_timestamp(clock.now()));
  return label;
}

void create_restore_point(postgres::Session& session, const ServerFacts& facts, const catalog::BackupId& id) {
  if (facts.in_recovery) return;
  const std::array<std::string, 1> name{"barman_" + id.text};
  session.query("SELECT pg_catalog.pg_create_restore_point($1)", name);
}

}  // namespace barman::engine
