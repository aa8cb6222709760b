#include "engine/show/backups.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "catalog/file_names.h"
#include "catalog/python_literal.h"
#include "catalog/timelines.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {

namespace {

using catalog::BackupId;
using catalog::BackupInfo;

// One pass over the index, whatever the number of backups.
catalog::WalSizes sizes_of_archive(const Home& home, Events& events) {
  constexpr std::size_t kShortLine = 48;  // name, size and time
  catalog::WalSizes sizes;
  std::error_code absent;
  const auto size = std::filesystem::file_size(home.xlogdb, absent);
  if (!absent) sizes.reserve(size / kShortLine);
  XlogIndex(home, events).visit([&](const catalog::WalLine& line) { sizes.add(line); });
  return sizes;
}

bool any_available(const std::vector<BackupInfo>& backups) {
  return std::ranges::any_of(backups, catalog::is_available);
}

std::optional<double> number_in(const catalog::Literal& dict, std::string_view key) {
  const catalog::Literal* found = dict.find(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(&found->value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&found->value)) return static_cast<double>(*whole);
  return std::nullopt;
}

std::optional<catalog::TimelineHistory> history_of(WalArchive& archive, const std::string& name,
                                                   const WalFormat& format, Events& events) {
  const auto parsed = pgformat::parse_wal_name(name);
  if (!parsed || parsed->kind != pgformat::WalKind::kHistory) return std::nullopt;
  try {
    const auto text = read_plain_text(archive, name, format);
    if (text) return catalog::TimelineHistory{parsed->segment.timeline, pgformat::parse_history(*text)};
  } catch (const Error& e) {
    events.warning(name + " cannot be read, so its timeline is left out: " + e.what());
  }
  return std::nullopt;
}

std::vector<pgformat::Timeline> timelines_from(const Home& home, const BackupInfo& info,
                                               const WalFormat& format, Events& events) {
  if (!info.timeline || !info.end_xlog) return {};
  std::vector<catalog::TimelineHistory> histories;
  const auto archive = wal_archive(home);
  for (const std::string& name : archive->names_in("")) {
    auto history = history_of(*archive, name, format, events);
    if (history) histories.push_back(*std::move(history));
  }
  return catalog::reachable_timelines(*info.timeline, *info.end_xlog, histories);
}

// The number of backups from the root to this one, both counted.
std::size_t chain_length(const std::vector<BackupInfo>& backups, const BackupInfo& info) {
  std::size_t length = 1;
  for (const BackupInfo* at = &info; at->parent_backup_id && length <= backups.size(); ++length) {
    const auto parent = std::ranges::find(backups, *at->parent_backup_id, &BackupInfo::id);
    if (parent == backups.end()) break;
    at = &*parent;
  }
  return length;
}

// Nothing where the bucket, which alone knows, could not be asked for the backups either.
std::map<BackupId, std::string> keeps_of(const catalog::Catalog& catalog, const catalog::Listing& listing) {
  if (catalog::lacks_bucket(listing)) return {};
  return catalog.annotations(catalog::kKeep);
}

std::optional<BackupId> id_of(const std::optional<BackupInfo>& info) {
  return info ? std::optional(info->id) : std::nullopt;
}

}  // namespace

BackupList list_backups(const Home& home, const catalog::Catalog& catalog, const RetentionSettings& settings,
                        Time now, Events& events) {
  const catalog::Listing listing = catalog.list();
  BackupList list{.server = home.server, .backups = {}, .warnings = catalog::warnings_of(listing)};
  const auto retention = retention_of(settings, listing.backups, keeps_of(catalog, listing), now);
  catalog::WalSizes sizes =
      any_available(listing.backups) ? sizes_of_archive(home, events) : catalog::WalSizes();
  list.backups.reserve(listing.backups.size());
  std::optional<BackupInfo> next;
  for (auto info = listing.backups.rbegin(); info != listing.backups.rend(); ++info) {
    const auto status = retention.find(info->id);
    BackupLine line{.info = *info, .wal = {}};
    if (status != retention.end()) line.retention = status->second;
    if (catalog::is_available(*info)) {
      line.wal = sizes.of(*info, next ? &*next : nullptr);
      next = *info;
    }
    list.backups.push_back(std::move(line));
  }
  return list;
}

CopyStats copy_stats_of(const BackupInfo& info) {
  CopyStats stats;
  if (!info.copy_stats) return stats;
  const catalog::Literal dict = catalog::parse_literal(*info.copy_stats);
  stats.copy_seconds = number_in(dict, "copy_time");
  stats.analysis_seconds = number_in(dict, "analysis_time").value_or(0);
  stats.workers = static_cast<std::int64_t>(number_in(dict, "number_of_workers").value_or(1));
  return stats;
}

BackupDetails describe_backup(const Home& home, const catalog::Catalog& catalog,
                              const std::vector<BackupInfo>& backups, const BackupInfo& info,
                              const RetentionSettings& settings, Time now, Events& events,
                              const WalFormat& format) {
  BackupDetails details{.server = home.server, .info = info, .wal = {}};
  if (!catalog::is_available(info)) return details;
  const auto retention = retention_of(settings, backups, catalog.annotations(catalog::kKeep), now);
  if (const auto status = retention.find(info.id); status != retention.end())
    details.retention = status->second;
  const auto next = catalog::next_of(backups, info.id);
  details.wal = sizes_of_archive(home, events).of(info, next ? &*next : nullptr);
  details.previous = id_of(catalog::previous_of(backups, info.id));
  details.next = id_of(next);
  details.root = id_of(catalog::root_of(backups, info));
  details.chain_length = chain_length(backups, info);
  details.reachable_timelines = timelines_from(home, info, format, events);
  details.copy = copy_stats_of(info);
  return details;
}

}  // namespace barman::engine
