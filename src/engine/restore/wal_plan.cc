#include "engine/restore/wal_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "engine/wal/wal_list.h"
#include "pgformat/backup_label.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

namespace {

using catalog::WalEntry;
using pgformat::Segment;
using pgformat::Timeline;

Segment segment_named(const std::optional<std::string>& name, const catalog::BackupInfo& info) {
  const auto segment = name ? pgformat::parse_segment(*name) : std::nullopt;
  if (!segment) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the record of backup {} does not say which WAL it needs", info.id.text));
  }
  return *segment;
}

pgformat::SegmentSize segment_size(const catalog::BackupInfo& info) {
  return info.xlog_segment_size.value_or(pgformat::kDefaultSegmentSize);
}

// Where histories are read from.
struct Archive {
  WalArchive& wal;
  const WalFormat& format;
};

// The forks on the way to `timeline`, from its archived history file; none for a first timeline.
std::vector<Fork> forks_of(const Archive& archive, Timeline timeline) {
  if (timeline == 1) return {};
  const auto text = read_plain_text(archive.wal, pgformat::format_history_name(timeline), archive.format);
  if (!text) {
    throw Error(ErrorKind::kRefused, fmt::format("timeline {} has no history in the archive ({} is missing)",
                                                 timeline, pgformat::format_history_name(timeline)));
  }
  std::vector<Fork> forks;
  for (const auto& entry : pgformat::parse_history(*text)) {
    forks.push_back({.parent = entry.parent, .at = entry.switched_at});
  }
  return forks;
}

// Whether a recovery of the backup can go on to `timeline`: it left the backup's timeline behind the backup's
// end.
bool descends(const Archive& archive, const catalog::BackupInfo& info, Timeline timeline) {
  const Timeline own = segment_named(info.end_wal, info).timeline;
  if (timeline == own) return true;
  try {
    for (const Fork& fork : forks_of(archive, timeline)) {
      if (fork.parent == own) return !info.end_xlog || fork.at >= *info.end_xlog;
    }
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kFailed) throw;  // it is there, but cannot be decrypted
    return false;                               // no history that makes sense: it is not on our way
  }
  return false;
}

Timeline latest_timeline(const Archive& archive, const catalog::BackupInfo& info,
                         const std::vector<WalEntry>& index) {
  Timeline latest = segment_named(info.end_wal, info).timeline;
  for (const WalEntry& entry : index) {
    const auto segment = pgformat::parse_segment(entry.name);
    if (segment && segment->timeline > latest && descends(archive, info, segment->timeline))
      latest = segment->timeline;
  }
  return latest;
}

// The last segment that recovery can or must read.
Segment last_segment(const RecoveryTarget& target, Timeline timeline, const catalog::BackupInfo& info,
                     const std::vector<WalEntry>& index) {
  const Segment end = segment_named(info.end_wal, info);
  if (target.immediate) return end;
  if (target.lsn) return std::max(pgformat::segment_of(*target.lsn, timeline, segment_size(info)), end);
  return std::max(newest_segment(index, timeline).value_or(end), end);
}

// Whether all WAL before `gap` was certainly written before the target time: recovery will not get there.
bool is_behind_target(const Stretch& gap, const RecoveryTarget& target, const std::vector<WalEntry>& index) {
  if (!target.time) return false;
  const double wanted = static_cast<double>(target.time->instant.time_since_epoch().count()) / 1e6;
  const std::string first_missing = pgformat::format_segment(gap.first);
  return std::any_of(index.begin(), index.end(), [&](const WalEntry& entry) {
    return pgformat::parse_segment(entry.name) && entry.name < first_missing && entry.time > wanted + 60;
  });
}

// Where a recovery goes.
struct Route {
  Timeline timeline = 0;
  Segment last;
  std::vector<Stretch> stretches;
};

Timeline chosen_timeline(const Archive& archive, const catalog::BackupInfo& info,
                         const std::optional<std::string>& word, const std::vector<WalEntry>& index) {
  if (!word || *word == "latest") return latest_timeline(archive, info, index);
  if (*word == "current") return info.timeline.value_or(segment_named(info.end_wal, info).timeline);
  Timeline timeline = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), timeline);
  if (error != std::errc() || end != word->data() + word->size() || timeline == 0) {
    throw Error(ErrorKind::kUsage, "'" + *word + "' is not a timeline: use current, latest or a number");
  }
  if (!descends(archive, info, timeline)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("timeline {} cannot be reached from backup {}: it did not leave timeline {} "
                            "after the end of the backup",
                            timeline, info.id.text, info.timeline.value_or(0)));
  }
  return timeline;
}

Route route_of(const Archive& archive, const catalog::BackupInfo& info, const RecoveryTarget& target,
               const std::vector<WalEntry>& index) {
  Route route;
  route.timeline = chosen_timeline(archive, info, target.timeline, index);
  route.last = last_segment(target, route.timeline, info, index);
  const Segment begin = segment_named(info.begin_wal, info);
  const auto forks =
      route.timeline == begin.timeline ? std::vector<Fork>{} : forks_of(archive, route.timeline);
  route.stretches = recovery_path(begin, forks, route.last, segment_size(info));
  return route;
}

bool has(const WalPlan& plan, const std::string& name) {
  return std::ranges::find(plan.files, name, &WalCopy::name) != plan.files.end();
}

void check_gaps(const Route& route, const RecoveryTarget& target, const catalog::BackupInfo& info,
                WalWishes wishes, const std::vector<WalEntry>& index, WalPlan& plan) {
  for (const Stretch& gap : missing_wal(route.stretches, index, segment_size(info))) {
    const std::string named = format_stretch(gap, segment_size(info));
    const bool at_the_end = gap.last == route.last;
    if (at_the_end && gap.first == gap.last && has(plan, named)) continue;  // a partial one
    if (at_the_end && wishes.fetched) {
      plan.warnings.push_back(fmt::format("WAL that recovery will ask for is not archived yet: {}", named));
    } else if (gap.first > segment_named(info.end_wal, info) && is_behind_target(gap, target, index)) {
      plan.warnings.push_back(fmt::format("WAL is missing in the archive behind the target: {}", named));
    } else {
      throw Error(
          ErrorKind::kRefused,
          fmt::format("WAL that this recovery needs is missing in the archive: {}. Bring it back, or end the "
                      "recovery before it (--target-lsn, --target-immediate)",
                      named));
    }
  }
}

// What is needed, as it is in the archive.
struct Needed {
  const WalEntry& entry;
  std::optional<WalFile> wal;
};

std::vector<Needed> look_up(WalArchive& archive, const std::vector<WalEntry>& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const WalEntry& entry : entries) names.push_back(entry.name);
  auto found = archive.find(names);
  std::vector<Needed> needed;
  needed.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) needed.push_back({entries[i], std::move(found[i])});
  return needed;
}

WalCopy copy_of(const Home& home, WalArchive& archive, const catalog::BackupInfo& info,
                const Needed& needed) {
  const WalEntry& entry = needed.entry;
  if (!needed.wal) {
    throw Error(
        ErrorKind::kRefused,
        fmt::format("WAL file {} is in the index but not in the archive: bring it back, or run 'barman "
                    "rebuild-xlogdb {}' to see what is missing",
                    archive.places({&entry.name, 1}).front(), home.server));
  }
  const WalFile& wal = *needed.wal;
  // Objects are whole, and an index by the Python Barman tells other sizes.
  if (!home.wal_bucket && wal.entry.size != entry.size) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("WAL file {} has {} bytes, but {} were archived: it is damaged, bring it back from "
                    "another copy",
                    archive.place(wal), wal.entry.size, entry.size));
  }
  // What else is compressed is small: histories and labels.
  const bool is_packed =
      entry.compression || entry.encryption || wal.entry.compression || wal.entry.encryption;
  const bool grows = is_packed && wal.parsed.kind == pgformat::WalKind::kSegment;
  return {.archived = wal,
          .name = entry.name,
          .size = grows ? std::max<std::uint64_t>(wal.entry.size, segment_size(info)) : wal.entry.size};
}

void add(WalPlan& plan, WalCopy copy) {
  plan.bytes += copy.size;
  plan.files.push_back(std::move(copy));
}

// Archived partial segments of which there is no whole one.
void add_archived_partials(const Home& home, WalArchive& archive, const catalog::BackupInfo& info,
                           const std::vector<Needed>& needed, WalPlan& plan) {
  for (const Needed& one : needed) {
    const auto name = pgformat::parse_wal_name(one.entry.name);
    if (!name || name->kind != pgformat::WalKind::kPartial) continue;
    const std::string whole = pgformat::format_segment(name->segment);
    if (has(plan, whole)) continue;
    WalCopy copy = copy_of(home, archive, info, one);
    copy.name = whole;
    add(plan, std::move(copy));
    plan.has_partial = true;
  }
}

// The segment that is being streamed: the one behind the newest of the archive.
void add_streamed_partial(const Home& home, const catalog::BackupInfo& info, const RecoveryTarget& target,
                          const Route& route, const std::vector<WalEntry>& index, WalPlan& plan) {
  const auto newest = newest_segment(index, route.timeline);
  if (!newest) return;
  const Segment next = pgformat::next_segment(*newest, segment_size(info));
  if (target.lsn && next > route.last) return;
  const std::string name = pgformat::format_segment(next);
  const auto partial = home.streaming / (name + pgformat::kPartialSuffix);
  std::error_code none;
  const auto bytes = std::filesystem::file_size(partial, none);
  if (none || has(plan, name)) return;
  WalCopy copy{.received = partial, .name = name, .size = bytes};
  add(plan, std::move(copy));
  plan.has_partial = true;
}

// What the server takes for the latest timeline: it asks for one history after the other.
Timeline servers_choice(const catalog::BackupInfo& info, const std::vector<WalEntry>& index) {
  Timeline timeline = info.timeline.value_or(segment_named(info.begin_wal, info).timeline);
  const auto archived = [&](Timeline next) {
    return std::ranges::find(index, pgformat::format_history_name(next), &WalEntry::name) != index.end();
  };
  while (archived(timeline + 1)) ++timeline;
  return timeline;
}

}  // namespace

Timeline resolve_timeline(const Home& home, const catalog::BackupInfo& info,
                          const std::optional<std::string>& word, const std::vector<WalEntry>& index,
                          const WalFormat& format) {
  return chosen_timeline({*wal_archive(home), format}, info, word, index);
}

WalPlan plan_wal(const Home& home, const catalog::BackupInfo& info, const RecoveryTarget& target,
                 WalWishes wishes, const std::vector<WalEntry>& index, const WalFormat& format) {
  WalPlan plan;
  const auto archive = wal_archive(home);
  const Route route = route_of({*archive, format}, info, target, index);
  plan.followed = route.timeline;
  if (!wishes.fetched) {
    const std::vector<WalEntry> entries = needed_wal({.begin_wal = *info.begin_wal,
                                                      .end_wal = *info.end_wal,
                                                      .target_timeline = route.timeline,
                                                      .immediate = target.immediate,
                                                      .target_lsn = target.lsn,
                                                      .segment_size = segment_size(info)},
                                                     index);
    const std::vector<Needed> needed = look_up(*archive, entries);
    for (const Needed& one : needed) {
      const auto name = pgformat::parse_wal_name(one.entry.name);
      if (!name || name->kind == pgformat::WalKind::kPartial) continue;
      const bool is_label = name->kind == pgformat::WalKind::kBackup;  // recovery does without
      if (is_label && !one.wal) continue;
      add(plan, copy_of(home, *archive, info, one));
    }
    if (wishes.partial && !target.immediate) {
      add_archived_partials(home, *archive, info, needed, plan);
      add_streamed_partial(home, info, target, route, index, plan);
    }
  }
  check_gaps(route, target, info, wishes, index, plan);
  const bool is_latest = !target.timeline || *target.timeline == "latest";
  if (is_latest && servers_choice(info, index) != route.timeline) plan.timeline = route.timeline;
  return plan;
}

}  // namespace barman::engine
