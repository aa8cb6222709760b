#include "catalog/wal_removal.h"

#include <algorithm>

#include "catalog/catalog.h"
#include "pgformat/wal_name.h"

namespace barman::catalog {

namespace {

// Whether WAL belongs to the backup already, complete or not.
bool is_archiving(const BackupInfo& info) {
  return is_available(info) || info.status == BackupStatus::kStarted || info.status == BackupStatus::kSyncing;
}

std::optional<pgformat::Timeline> timeline_of(const BackupInfo& info) {
  if (info.timeline) return info.timeline;
  const auto segment = info.begin_wal ? pgformat::parse_segment(*info.begin_wal) : std::nullopt;
  return segment ? std::optional(segment->timeline) : std::nullopt;
}

bool is_kept_standalone(const BackupInfo& info, const std::map<BackupId, std::string>& kept) {
  const auto keep = kept.find(info.id);
  return keep != kept.end() && keep->second == "standalone";
}

// The ranges of the standalone backups before `deleted`; nothing if an older backup needs all the WAL.
std::optional<std::vector<std::pair<std::string, std::string>>> ranges_of_predecessors(
    const std::vector<BackupInfo>& backups, const BackupInfo& deleted,
    const std::map<BackupId, std::string>& kept, DeletedBy who) {
  std::vector<std::pair<std::string, std::string>> ranges;
  for (auto older = previous_of(backups, deleted.id); older; older = previous_of(backups, older->id)) {
    const bool known = older->begin_wal && older->end_wal;
    if (who == DeletedBy::kCommand || !known || !is_kept_standalone(*older, kept)) return std::nullopt;
    ranges.emplace_back(*older->begin_wal, *older->end_wal);
  }
  return ranges;
}

}  // namespace

bool goes(const WalRemoval& removal, std::string_view name) {
  const auto parsed = pgformat::parse_wal_name(name);
  if (!parsed || parsed->kind == pgformat::WalKind::kHistory) return false;
  if (removal.protected_timelines.contains(parsed->segment.timeline)) return false;
  const std::string segment = pgformat::format_segment(parsed->segment);
  if (segment >= removal.before) return false;
  return std::ranges::none_of(removal.kept_ranges, [&](const auto& range) {
    return segment >= range.first && segment <= range.second;
  });
}

std::optional<WalRemoval> wal_to_remove(const std::vector<BackupInfo>& backups, const BackupInfo& deleted,
                                        const std::map<BackupId, std::string>& kept, DeletedBy who) {
  auto ranges = ranges_of_predecessors(backups, deleted, kept, who);
  if (!ranges) return std::nullopt;
  const BackupInfo boundary = next_of(backups, deleted.id).value_or(deleted);
  auto removal = wal_before(boundary);
  if (!removal) return std::nullopt;
  removal->kept_ranges = std::move(*ranges);
  const auto own = timeline_of(boundary);
  for (const BackupInfo& info : backups) {
    if (info.id == deleted.id || !is_archiving(info)) continue;
    const auto timeline = timeline_of(info);
    if (timeline && timeline != own) removal->protected_timelines.insert(*timeline);
    // Ids are of the local clock: after it went back, a younger id may begin earlier in the WAL.
    const bool ranged = is_kept_standalone(info, kept) && info.id < deleted.id;
    if (timeline == own && !ranged && info.begin_wal)
      removal->before = std::min(removal->before, *info.begin_wal);
  }
  return removal;
}

std::optional<WalRemoval> wal_before(const BackupInfo& first) {
  if (!first.begin_wal) return std::nullopt;
  const auto segment = pgformat::parse_segment(*first.begin_wal);
  return segment ? std::optional(WalRemoval{.before = pgformat::format_segment(*segment)}) : std::nullopt;
}

}  // namespace barman::catalog
