#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "catalog/retention.h"
#include "engine/check/rules.h"
#include "engine/server/home.h"
#include "engine/server/retention_settings.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;

const std::vector<BackupInfo>& backups_of(const Observed& observed) {
  static const std::vector<BackupInfo> kNone;
  return observed.local->backups.ok() ? observed.local->backups.value->backups : kNone;
}

bool waits_for_wal(const BackupInfo& info) { return info.status == catalog::BackupStatus::kWaitingForWals; }

void judge_queue(const Observed& observed, const char* archiver, const std::string& kind, const char* option,
                 const Answer<std::size_t>& waiting, Lines& lines) {
  const config::Values& values = observed.server.values;
  const std::string folder = values.text(option);
  if (!waiting.ok()) {
    lines.add(kind + " WALs directory", false, waiting.error);
  } else if (!values.flag(archiver)) {
    if (*waiting.value > 0) {
      lines.add("empty " + kind + " directory", false,
                fmt::format("'{}' must be empty when {}=off", folder, archiver));
    }
  } else if (const auto limit = values.optional_number("max_incoming_wals_queue")) {
    if (static_cast<std::int64_t>(*waiting.value) > *limit) {
      lines.add(kind + " WALs directory", false,
                fmt::format("there are too many WALs in queue: {}, max {}", *waiting.value, *limit));
    }
  }
}

void judge_age(const Observed& observed, const BackupInfo* newest, Lines& lines) {
  const auto limit = observed.server.values.interval("last_backup_maximum_age");
  if (!limit) {
    lines.add("backup maximum age", true, "no last_backup_maximum_age provided");
    return;
  }
  const bool known = newest != nullptr && newest->end_time;
  const auto age = known ? observed.now - newest->end_time->instant : std::chrono::microseconds(0);
  lines.add("backup maximum age", known && age <= limit->length,
            fmt::format("interval provided: {}, latest backup age: {}", human_duration(limit->length),
                        known ? human_duration(age) : "No available backups"));
}

void judge_size(const Observed& observed, const BackupInfo* newest, Lines& lines) {
  const auto limit = observed.server.values.optional_number("last_backup_minimum_size");
  const double size = newest == nullptr ? 0 : static_cast<double>(newest->size.value_or(0));
  if (!limit) {
    lines.add("backup minimum size", true, pretty_size(size));
    return;
  }
  const bool ok = size >= static_cast<double>(*limit);
  lines.add("backup minimum size", ok,
            fmt::format("last backup size {} {} {} minimum", pretty_size(size), ok ? ">" : "<",
                        pretty_size(static_cast<double>(*limit))));
}

void judge_buckets(const Observed& observed, Lines& lines) {
  const std::optional<std::string> unfit = bucket_option_problem(observed.server);
  if (!unfit && !observed.buckets) return;
  const std::string label = "cloud storage configuration";
  if (unfit) {
    lines.add(label, false, *unfit);
  } else if (const auto& trial = observed.buckets->trial; trial.ok()) {
    const bool ok = trial.value->problem.empty();
    lines.add(label, ok, ok ? trial.value->remark : trial.value->problem);
  } else {
    lines.add(label, false, trial.late ? "no answer in time" : trial.error);
  }
}

void judge_wal(const Observed& observed, Lines& lines) {
  const Answer<ArchivedWal>& wal = observed.local->wal;
  const auto limit = observed.server.values.interval("last_wal_maximum_age");
  if (!wal.ok()) {
    lines.add("wal maximum age", false, wal.error);
  } else if (!limit) {
    lines.add("wal maximum age", true, "no last_wal_maximum_age provided");
  } else if (!wal.value->newest_time) {
    lines.add("wal maximum age", false, "No WAL files archived for last backup");
  } else {
    const auto written = std::chrono::microseconds(static_cast<std::int64_t>(*wal.value->newest_time * 1e6));
    const auto age = observed.now.time_since_epoch() - written;
    lines.add("wal maximum age", age <= limit->length,
              fmt::format("interval provided: {}, latest wal age: {}", human_duration(limit->length),
                          human_duration(age)));
  }
  lines.add("wal size", true, pretty_size(wal.ok() ? static_cast<double>(wal.value->bytes_after) : 0));
}

void judge_retention(const Observed& observed, Lines& lines) {
  const std::string text = observed.server.values.text("retention_policy");
  const bool ok = text.empty() || catalog::parse_retention_policy(text).has_value();
  lines.add("retention policy settings", ok, ok ? "" : "see log");
}

void judge_compression(const Observed& observed, Lines& lines) {
  const std::optional<std::string> problem = compression_problem(wal_format_settings(observed.server));
  lines.add("compression settings", !problem, problem.value_or(""));
}

void judge_encryption(const Observed& observed, Lines& lines) {
  if (observed.server.values.text("encryption") != "gpg") return;
  const Answer<bool>& trial = observed.local->encryption;
  if (const auto problem = encryption_problem(observed.server)) {
    lines.add("encryption", false, *problem);
  } else {
    lines.add("encryption", trial.ok(), trial.ok() ? "encryption test succeeded" : trial.error);
  }
}

void judge_failed_backups(const Observed& observed, Lines& lines) {
  const std::vector<BackupInfo>& backups = backups_of(observed);
  const auto failed = std::ranges::count(backups, catalog::BackupStatus::kFailed, &BackupInfo::status);
  if (!observed.local->backups.ok()) {
    lines.add("failed backups", false, observed.local->backups.error);
    return;
  }
  std::string hint = fmt::format("there are {} failed backups", failed);
  const std::vector<catalog::DamagedEntry>& damaged = observed.local->backups.value->damaged;
  if (!damaged.empty()) {
    hint += fmt::format(", and {} records that cannot be read: {}", damaged.size(), damaged.front().name);
  }
  lines.add("failed backups", failed == 0 && damaged.empty(), hint);
}

void judge_redundancy(const Observed& observed, Lines& lines) {
  const std::size_t have = catalog::redundancy(backups_of(observed));
  const std::uint32_t wanted = retention_settings(observed.server).minimum_redundancy;
  lines.add("minimum redundancy requirements", have >= wanted,
            fmt::format("have {} non-incremental backups, expected at least {}", have, wanted));
}

}  // namespace

std::optional<std::string> encryption_problem(const config::Server& server) {
  const config::Values& values = server.values;
  if (values.text("encryption") != "gpg") return std::nullopt;
  if (!values.has("encryption_key_id")) {
    return "encryption_key_id is not set: name the key to encrypt for";
  }
  // There they are archives, by every method.
  if (is_bucket_url(values.text("basebackups_directory"))) return std::nullopt;
  if (values.text("backup_method") != "postgres") {
    return fmt::format("backups with backup_method = {} cannot be encrypted: use postgres",
                       values.text("backup_method"));
  }
  if (!values.has("backup_compression")) {
    return "backup_compression is not set: only backups in tar format are encrypted; set it, also to none";
  }
  if (values.text("backup_compression_format") != "tar") {
    return "backup_compression_format is not tar: only backups in tar format are encrypted; set it to tar";
  }
  return std::nullopt;
}

void judge_arrival(const Observed& observed, Lines& lines) {
  const bool arrived = observed.local->wal.ok() && !observed.local->wal.value->empty;
  const bool awaited = std::ranges::any_of(backups_of(observed), waits_for_wal);
  const bool arrives = observed.remote && observed.remote->wal_arrives.value.value_or(false);
  if (!arrived && !awaited && !arrives) {
    lines.add("WAL archive", false, "please make sure WAL shipping is setup");
  }
  judge_queue(observed, "archiver", "incoming", "incoming_wals_directory", observed.local->incoming, lines);
  judge_queue(observed, "streaming_archiver", "streaming", "streaming_wals_directory",
              observed.local->streaming, lines);
}

void judge_catalogue(const Observed& observed, Lines& lines) {
  const LocalFacts& local = *observed.local;
  const BackupInfo* newest = newest_available(backups_of(observed));
  if (!observed.server.disabled()) {
    const std::string problem = local.directories.value.value_or(local.directories.error);
    lines.add("directories", problem.empty(), problem);
  }
  judge_retention(observed, lines);
  judge_age(observed, newest, lines);
  judge_size(observed, newest, lines);
  judge_encryption(observed, lines);
  judge_buckets(observed, lines);
  judge_wal(observed, lines);
  judge_compression(observed, lines);
  judge_failed_backups(observed, lines);
  judge_redundancy(observed, lines);
}

void judge_archiver_errors(const Observed& observed, Lines& lines) {
  const auto& errors = observed.local->errors;
  if (!errors.ok()) {
    lines.add("archiver errors", false, errors.error);
    return;
  }
  std::vector<std::string> counts;
  for (const auto& [kind, count] : *errors.value) counts.push_back(fmt::format("{}: {}", kind, count));
  lines.add("archiver errors", counts.empty(), fmt::format("{}", fmt::join(counts, ", ")));
}

}  // namespace barman::engine
