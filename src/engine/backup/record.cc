#include "engine/backup/record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "catalog/python_literal.h"

namespace barman::engine {

namespace {

// A clock set back by an hour, or by hand, still gives ids in order; an id from the far future does not
// rule for ever.
constexpr std::chrono::hours kFurthestAhead{3};

std::optional<std::chrono::sys_seconds> time_in(const std::string& id) {
  int year = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(id.c_str(), "%4d%2u%2uT%2d%2d%2d", &year, &month, &day, &hour, &minute, &second) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

catalog::BackupId next_backup_id(Time now, const std::vector<catalog::BackupInfo>& existing) {
  const std::string wanted = compact_local_text(now);
  const auto newest = std::ranges::max_element(existing, {}, &catalog::BackupInfo::id);
  if (newest == existing.end() || newest->id.text < wanted) return {wanted};
  const auto last = time_in(newest->id.text);
  const auto here = time_in(wanted);
  if (last && here && *last - *here < kFurthestAhead) {
    return {fmt::format("{:%Y%m%dT%H%M%S}", *last + std::chrono::seconds(1))};
  }
  const auto taken = [&](const std::string& text) {
    return std::ranges::find(existing, catalog::BackupId{text}, &catalog::BackupInfo::id) != existing.end();
  };
  std::string id = wanted;
  for (auto time = *here; taken(id);) id = fmt::format("{:%Y%m%dT%H%M%S}", time += std::chrono::seconds(1));
  return {id};
}

void record_start(catalog::BackupInfo& info, const WalPosition& position, const ServerFacts& facts) {
  info.status = catalog::BackupStatus::kStarted;
  info.begin_time = position.now;
  info.begin_xlog = position.lsn;
  info.begin_wal = position.wal;
  info.begin_offset = position.offset;
  info.timeline = facts.timeline;
}

void record_copy(catalog::BackupInfo& info, const StreamingOutcome& outcome) {
  const std::string seconds =
      catalog::format_python_float(std::chrono::duration<double>(outcome.duration).count());
  info.copy_stats = fmt::format("{{'copy_time': {}, 'total_time': {}}}", seconds, seconds);
}

void record_tablespaces(catalog::BackupInfo& info, const StreamingOutcome& outcome,
                        const std::vector<catalog::Tablespace>& named) {
  info.tablespaces.clear();
  for (const CopiedTablespace& copied : outcome.tablespaces) {
    const auto known = std::ranges::find(named, copied.oid, &catalog::Tablespace::oid);
    info.tablespaces.push_back({.name = known != named.end() ? known->name : std::to_string(copied.oid),
                                .oid = copied.oid,
                                .location = copied.location});
  }
}

std::string position_text(const std::optional<pgformat::Lsn>& lsn, const std::optional<std::string>& wal,
                          const std::optional<std::uint64_t>& offset) {
  std::string position = lsn ? pgformat::format_lsn(*lsn) : "None";
  if (!wal || !offset) return position;
  return fmt::format("{} ({}, {:08X})", position, *wal, *offset);
}

std::vector<std::string> external_files(const catalog::BackupInfo& info) {
  std::vector<std::string> files;
  const auto look = [&](const std::string& file) {
    const bool inside = info.pgdata && file.starts_with(*info.pgdata + "/");
    if (!inside && std::ranges::find(files, file) == files.end()) files.push_back(file);
  };
  for (const auto& file : {info.config_file, info.hba_file, info.ident_file}) {
    if (file) look(*file);
  }
  for (const std::string& file : info.included_files) look(file);
  return files;
}

}  // namespace barman::engine
