#include "engine/restore/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "catalog/timestamp.h"

namespace barman::engine {

namespace {

std::optional<catalog::Timestamp> parse_leniently(const std::string& text) {
  for (const char* rest : {"", ":00", " 00:00:00"}) {
    if (const auto time = catalog::parse_timestamp(text + rest)) return time;
  }
  return std::nullopt;
}

// Whether one more zone still makes a time of it: then there was none.
bool lacks_zone(const std::string& text) {
  for (const char* rest : {"Z", ":00Z", " 00:00:00Z"}) {
    if (catalog::parse_timestamp(text + rest)) return true;
  }
  return false;
}

// "20261122T133001", the shape of a backup's id, as "2026-11-22 13:30:01"; any other text trimmed of spaces.
std::string normal_form(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  if (!catalog::is_backup_id(text)) return std::string(text);
  const auto part = [&](std::size_t from, std::size_t size) { return text.substr(from, size); };
  return fmt::format("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 2), part(6, 2), part(9, 2), part(11, 2),
                     part(13, 2));
}

// The instants at which the local clock shows this: two when it is put back, none when it is put forward.
std::vector<catalog::Timestamp> instants_of(Time wall) {
  constexpr auto kDay = std::chrono::hours(24);
  std::vector<catalog::Timestamp> instants;
  for (const auto around : {wall - kDay, wall + kDay}) {
    const auto offset = local_offset(around);
    const catalog::Timestamp candidate{.instant = wall - offset, .offset = offset};
    if (local_offset(candidate.instant) == offset &&
        std::ranges::find(instants, candidate) == instants.end()) {
      instants.push_back(candidate);
    }
  }
  return instants;
}

std::string text_of_time(const catalog::Timestamp& time) { return iso_text(time.instant, time.offset); }

bool ends_by(const catalog::BackupInfo& info, const RecoveryTarget& target) {
  if (target.time) return info.end_time && info.end_time->instant <= target.time->instant;
  if (target.lsn) return info.end_xlog && *info.end_xlog <= *target.lsn;
  return true;
}

}  // namespace

TargetTime parse_target_time(std::string_view text) {
  const std::string whole = normal_form(text);
  const auto time = parse_leniently(whole);
  if (!time) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("Unable to parse the target time parameter '{}': write it as YYYY-MM-DD HH:MM:SS with "
                    "a zone, for example 2026-11-22 13:30:00+01:00",
                    text));
  }
  if (!lacks_zone(whole)) return {.time = *time, .zone_assumed = false};
  const auto instants = instants_of(time->instant + time->offset);
  if (instants.empty()) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the local clock never showed the target time '{}', it was put forward: write the time "
                    "with its zone",
                    text));
  }
  if (instants.size() > 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the local clock showed the target time '{}' twice: write {} or {}", text,
                            text_of_time(instants.front()), text_of_time(instants.back())));
  }
  return {.time = instants.front(), .zone_assumed = true};
}

std::string describe(const RecoveryTarget& target) {
  std::vector<std::string> parts;
  if (target.time) parts.push_back(fmt::format("time: '{}'", text_of_time(*target.time)));
  if (target.xid) parts.push_back(fmt::format("xid: '{}'", *target.xid));
  if (target.lsn) parts.push_back(fmt::format("lsn: '{}'", pgformat::format_lsn(*target.lsn)));
  if (target.timeline) parts.push_back(fmt::format("timeline: '{}'", *target.timeline));
  if (target.name) parts.push_back(fmt::format("name: '{}'", *target.name));
  if (target.immediate) parts.emplace_back("immediate: True");
  return fmt::format("{}", fmt::join(parts, ", "));
}

void check_reachable(const RecoveryTarget& target, const catalog::BackupInfo& info, Time now) {
  if (target.time) {
    if (info.end_time && target.time->instant < info.end_time->instant) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format(
              "the target time {} is before the end of backup {} ({}): choose an older backup, or 'auto'",
              text_of_time(*target.time), info.id.text, text_of_time(*info.end_time)));
    }
    if (target.time->instant > now) {
      throw Error(
          ErrorKind::kRefused,
          fmt::format(
              "the target time {} is in the future: leave the target out to recover all that is archived",
              text_of_time(*target.time)));
    }
  }
  if (target.lsn && info.end_xlog && *target.lsn < *info.end_xlog) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "the target LSN {} is before the end of backup {} ({}): choose an older backup, or 'auto'",
            pgformat::format_lsn(*target.lsn), info.id.text, pgformat::format_lsn(*info.end_xlog)));
  }
}

catalog::BackupInfo choose_backup(const std::vector<catalog::BackupInfo>& backups,
                                  const RecoveryTarget& target, std::optional<pgformat::Timeline> timeline) {
  if (target.xid || target.name || target.immediate || target.timeline == "current") {
    throw Error(
        ErrorKind::kRefused,
        "a backup can be chosen automatically only for no target, a time, an LSN or a numbered or latest "
        "timeline: name the backup instead of 'auto'");
  }
  for (auto info = backups.rbegin(); info != backups.rend(); ++info) {
    if (is_available(*info) && (!timeline || info->timeline == timeline) && ends_by(*info, target))
      return *info;
  }
  throw Error(ErrorKind::kRefused, "Cannot find any candidate backup for recovery.");
}

}  // namespace barman::engine
