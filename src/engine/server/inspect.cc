#include "engine/server/inspect.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "postgres/session.h"

namespace barman::engine {

namespace {

using postgres::Row;
using postgres::Session;

// What ServerFacts::settings may hold.
constexpr std::string_view kSettings =
    "'archive_command','archive_library','archive_mode','archive_timeout','block_size','checkpoint_timeout',"
    "'config_file','data_checksums','data_directory','hba_file','hot_standby','ident_file',"
    "'max_replication_slots','max_wal_senders','segment_size','summarize_wal','synchronous_standby_names',"
    "'wal_compression','wal_keep_size','wal_level','wal_segment_size'";

const Row& only_row(const std::vector<Row>& rows) {
  if (rows.size() != 1)
    throw Error(ErrorKind::kFailed, "the server answered a query about itself without a row");
  return rows.front();
}

bool is_true(const std::optional<std::string>& cell) { return cell && (*cell == "t" || *cell == "true"); }

template <class Number>
std::optional<Number> number(const std::optional<std::string>& cell) {
  if (!cell) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), value);
  if (error != std::errc() || end != cell->data() + cell->size()) return std::nullopt;
  return value;
}

// The functions that start and stop a backup were renamed in PostgreSQL 15.
std::string privileges_query(int version) {
  const std::string_view start = version >= 150000 ? "pg_catalog.pg_backup_start(text,boolean)"
                                                   : "pg_catalog.pg_start_backup(text,boolean,boolean)";
  const std::string_view stop =
      version >= 150000 ? "pg_catalog.pg_backup_stop(boolean)" : "pg_catalog.pg_stop_backup(boolean,boolean)";
  const std::string_view checkpoint =
      version >= 150000 ? "pg_catalog.pg_has_role(current_user,'pg_checkpoint','USAGE')" : "false";
  return fmt::format(
      "SELECT pg_catalog.pg_is_in_recovery(),"
      " (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),"
      " pg_catalog.pg_has_role(current_user,'pg_monitor','USAGE')"
      "  OR (pg_catalog.pg_has_role(current_user,'pg_read_all_settings','USAGE')"
      "      AND pg_catalog.pg_has_role(current_user,'pg_read_all_stats','USAGE')),"
      " pg_catalog.has_function_privilege(current_user,'{}','EXECUTE')"
      "  AND pg_catalog.has_function_privilege(current_user,'{}','EXECUTE')"
      "  AND pg_catalog.has_function_privilege(current_user,'pg_catalog.pg_switch_wal()','EXECUTE')"
      "  AND "
      "pg_catalog.has_function_privilege(current_user,'pg_catalog.pg_create_restore_point(text)','EXECUTE'),"
      " {},"
      " CASE WHEN pg_catalog.has_function_privilege(current_user,'pg_catalog.pg_control_system()','EXECUTE')"
      "  THEN (SELECT system_identifier FROM pg_catalog.pg_control_system()) END,"
      " CASE WHEN NOT pg_catalog.pg_is_in_recovery()"
      "  THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()),1,8) END,"
      " CASE WHEN "
      "pg_catalog.has_function_privilege(current_user,'pg_catalog.pg_control_recovery()','EXECUTE')"
      "   AND pg_catalog.pg_is_in_recovery()"
      "  THEN GREATEST((SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),"
      "                (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())) END",
      start, stop, checkpoint);
}

void read_settings(Session& session, ServerFacts& facts) {
  const auto rows = session.query(fmt::format(
      "SELECT 's', name, CASE WHEN name = 'wal_segment_size' AND unit = '8kB'"
      "  THEN (setting::bigint * 8192)::text ELSE setting END FROM pg_catalog.pg_settings WHERE name IN ({})"
      " UNION ALL SELECT DISTINCT 'f', sourcefile, NULL FROM pg_catalog.pg_settings"
      "  WHERE sourcefile IS NOT NULL",
      kSettings));
  for (const Row& row : rows) {
    if (row[0] == "s") {
      if (row[2]) facts.settings[*row[1]] = *row[2];
    } else {
      facts.included_files.push_back(*row[1]);
    }
  }
  if (const auto main = facts.setting("config_file")) std::erase(facts.included_files, *main);
  if (const auto size = number<std::uint64_t>(facts.setting("wal_segment_size"))) facts.segment_size = *size;
}

}  // namespace

std::optional<std::string> ServerFacts::setting(std::string_view name) const {
  const auto found = settings.find(name);
  if (found == settings.end()) return std::nullopt;
  return found->second;
}

ServerFacts inspect(Session& session) {
  ServerFacts facts;
  facts.version = session.server_version();
  facts.version_text = session.server_version_text();
  const auto rows = session.query(privileges_query(facts.version));
  const Row& row = only_row(rows);
  facts.in_recovery = is_true(row[0]);
  facts.superuser = is_true(row[1]);
  facts.monitoring_privileges = facts.superuser || is_true(row[2]);
  facts.backup_privileges = facts.superuser || (facts.monitoring_privileges && is_true(row[3]));
  facts.may_checkpoint = facts.superuser || is_true(row[4]);
  facts.system_identifier = row[5];
  if (row[6]) {
    if (const auto segment = pgformat::parse_segment(*row[6] + "0000000000000000")) {
      facts.timeline = segment->timeline;
    }
  } else {
    facts.timeline = number<pgformat::Timeline>(row[7]);
  }
  read_settings(session, facts);
  return facts;
}

WalPosition wal_position(Session& session, const ServerFacts& facts) {
  const auto rows = session.query(
      facts.in_recovery ? "SELECT pg_catalog.pg_last_wal_replay_lsn(), NULL,"
                          " NULL,"
                          " extract(timezone from pg_catalog.clock_timestamp())::int,"
                          " (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint"
                        : "SELECT lsn, pg_catalog.pg_walfile_name(lsn),"
                          " NULL,"
                          " extract(timezone from pg_catalog.clock_timestamp())::int,"
                          " (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint"
                          " FROM pg_catalog.pg_current_wal_lsn() AS lsn");
  const Row& row = only_row(rows);
  const auto lsn = row[0] ? pgformat::parse_lsn(*row[0]) : std::nullopt;
  if (!lsn) throw Error(ErrorKind::kFailed, "the server does not say where its WAL is");
  WalPosition position;
  position.lsn = *lsn;
  position.now.offset = std::chrono::seconds(number<int>(row[3]).value_or(0));
  position.now.instant = Time(std::chrono::microseconds(number<std::int64_t>(row[4]).value_or(0)));
  if (const auto named = row[1] ? pgformat::parse_segment(*row[1]) : std::nullopt) {
    const std::uint64_t offset = pgformat::offset_in_segment(*lsn, facts.segment_size);
    pgformat::Segment segment = pgformat::segment_of(*lsn, named->timeline, facts.segment_size);
    if (offset == 0) segment = pgformat::previous_segment(segment, facts.segment_size);
    position.wal = pgformat::format_segment(segment);
    position.offset = offset;
  }
  return position;
}

std::vector<catalog::Tablespace> tablespaces(Session& session) {
  std::vector<catalog::Tablespace> found;
  for (const Row& row : session.query("SELECT spcname, oid, pg_catalog.pg_tablespace_location(oid)"
                                      " FROM pg_catalog.pg_tablespace"
                                      " WHERE spcname NOT IN ('pg_default','pg_global') ORDER BY oid")) {
    found.push_back({.name = row[0].value_or(""),
                     .oid = number<std::uint32_t>(row[1]).value_or(0),
                     .location = row[2].value_or("")});
  }
  return found;
}

std::optional<std::uint64_t> cluster_size(Session& session) {
  const auto rows = session.query(
      "SELECT CASE WHEN pg_catalog.pg_has_role(current_user,'pg_read_all_stats','USAGE')"
      " THEN (SELECT pg_catalog.sum(pg_catalog.pg_tablespace_size(oid))::bigint FROM "
      "pg_catalog.pg_tablespace) END");
  return number<std::uint64_t>(only_row(rows)[0]);
}

std::optional<Slot> replication_slot(Session& session, const std::string& name) {
  const std::string parameters[] = {name};
  const auto rows = session.query(
      "SELECT active, restart_lsn, wal_status FROM pg_catalog.pg_replication_slots"
      " WHERE slot_name = $1 AND slot_type = 'physical'",
      parameters);
  if (rows.empty()) return std::nullopt;
  const Row& row = rows.front();
  return Slot{.active = is_true(row[0]),
              .restart_lsn = row[1] ? pgformat::parse_lsn(*row[1]) : std::nullopt,
              .wal_status = row[2]};
}

std::optional<ArchiverStatistics> archiver_statistics(Session& session) {
  const auto rows = session.query(
      "SELECT archived_count, failed_count, last_archived_wal, last_archived_time, last_failed_wal,"
      " last_failed_time, stats_reset,"
      " archived_count / NULLIF(extract(epoch from pg_catalog.now() - stats_reset), 0),"
      " pg_catalog.current_setting('archive_mode') IN ('on','always')"
      "  AND (last_failed_wal IS NULL OR last_failed_wal LIKE '%.history'"
      "       OR last_failed_time <= last_archived_time)"
      " FROM pg_catalog.pg_stat_archiver");
  if (rows.empty()) return std::nullopt;
  const Row& row = rows.front();
  return ArchiverStatistics{.archived_count = number<std::uint64_t>(row[0]).value_or(0),
                            .failed_count = number<std::uint64_t>(row[1]).value_or(0),
                            .last_archived_wal = row[2],
                            .last_archived_time = row[3],
                            .last_failed_wal = row[4],
                            .last_failed_time = row[5],
                            .stats_reset = row[6],
                            .archived_per_second = row[7],
                            .is_archiving = is_true(row[8])};
}

}  // namespace barman::engine
