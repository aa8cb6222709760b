#include "engine/restore/wal_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "engine/wal/wal_list.h"
#include "os/durable_file.h"
#include "pgformat/backup_label.h"

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

// The forks on the way to `timeline`, from its archived history file; none for a first timeline.
std::vector<Fork> forks_of(const Home& home, Timeline timeline) {
  if (timeline == 1) return {};
  const auto text = os::read_file(home.wals / pgformat::format_history_name(timeline));
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
bool descends(const Home& home, const catalog::BackupInfo& info, Timeline timeline) {
  const Timeline own = segment_named(info.end_wal, info).timeline;
  if (timeline == own) return true;
  try {
    for (const Fork& fork : forks_of(home, timeline)) {
      if (fork.parent == own) return !info.end_xlog || fork.at >= *info.end_xlog;
    }
  } catch (const Error&) {
    return false;  // no history that can be read: it is not on our way
  }
  return false;
}

Timeline latest_timeline(const Home& home, const catalog::BackupInfo& info,
                         const std::vector<WalEntry>& index) {
  Timeline latest = segment_named(info.end_wal, info).timeline;
  for (const WalEntry& entry : index) {
    const auto segment = pgformat::parse_segment(entry.name);
    if (segment && segment->timeline > latest && descends(home, info, segment->timeline))
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

void check_gaps(const std::vector<Stretch>& path, const RecoveryTarget& target,
                const catalog::BackupInfo& info, const std::vector<WalEntry>& index, WalPlan& plan) {
  for (const Stretch& gap : missing_wal(path, index, segment_size(info))) {
    const std::string named = format_stretch(gap, segment_size(info));
    if (gap.first > segment_named(info.end_wal, info) && is_behind_target(gap, target, index)) {
      plan.warnings.push_back(fmt::format("WAL is missing in the archive behind the target: {}", named));
      continue;
    }
    throw Error(
        ErrorKind::kRefused,
        fmt::format(
            "WAL that this recovery needs is missing in the archive: {}. Bring it back, or end the recovery "
            "before it (--target-lsn, --target-immediate)",
            named));
  }
}

WalCopy copy_of(const Home& home, const WalEntry& entry) {
  if (entry.compression || entry.encryption) {
    throw Error(ErrorKind::kFailed,
                fmt::format("WAL file {} is stored with {}, which this build does not restore yet",
                            entry.name, entry.compression ? *entry.compression : *entry.encryption));
  }
  const auto name = pgformat::parse_wal_name(entry.name);
  if (!name) throw Error(ErrorKind::kCorrupt, "the index of archived WAL has the name " + entry.name);
  const auto from = home.archived(*name, entry.name);
  if (!std::filesystem::exists(from)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("WAL file {} is in the index but not in the archive: run 'barman "
                            "rebuild-xlogdb {}' to see what is missing",
                            from.string(), home.server));
  }
  return {.from = from, .name = entry.name, .size = entry.size};
}

void add_streamed_partial(const Home& home, const Segment& last, pgformat::SegmentSize size, WalPlan& plan) {
  const std::string next = pgformat::format_segment(pgformat::next_segment(last, size));
  const auto partial = home.streaming / (next + ".partial");
  std::error_code none;
  const auto bytes = std::filesystem::file_size(partial, none);
  if (none) return;
  plan.files.push_back({.from = partial, .name = next, .size = bytes});
  plan.bytes += bytes;
  plan.has_partial = true;
}

}  // namespace

Timeline resolve_timeline(const Home& home, const catalog::BackupInfo& info,
                          const std::optional<std::string>& word, const std::vector<WalEntry>& index) {
  if (!word || *word == "latest") return latest_timeline(home, info, index);
  if (*word == "current") return info.timeline.value_or(segment_named(info.end_wal, info).timeline);
  Timeline timeline = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), timeline);
  if (error != std::errc() || end != word->data() + word->size() || timeline == 0) {
    throw Error(ErrorKind::kUsage, "'" + *word + "' is not a timeline: use current, latest or a number");
  }
  if (!descends(home, info, timeline)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("timeline {} cannot be reached from backup {}: it did not leave timeline {} "
                            "after the end of the backup",
                            timeline, info.id.text, info.timeline.value_or(0)));
  }
  return timeline;
}

WalPlan plan_wal(const Home& home, const catalog::BackupInfo& info, const RecoveryTarget& target,
                 bool with_partial, const std::vector<WalEntry>& index) {
  WalPlan plan;
  const Timeline timeline = resolve_timeline(home, info, target.timeline, index);
  const Segment begin = segment_named(info.begin_wal, info);
  const Segment last = last_segment(target, timeline, info, index);
  const auto forks = timeline == begin.timeline ? std::vector<Fork>{} : forks_of(home, timeline);
  check_gaps(recovery_path(begin, forks, last, segment_size(info)), target, info, index, plan);

  const WalRange range{.begin_wal = *info.begin_wal,
                       .end_wal = *info.end_wal,
                       .target_timeline = timeline,
                       .immediate = target.immediate,
                       .target_lsn = target.lsn,
                       .segment_size = segment_size(info)};
  for (const WalEntry& entry : needed_wal(range, index)) {
    const auto name = pgformat::parse_wal_name(entry.name);
    if (name && name->kind == pgformat::WalKind::kPartial) continue;
    plan.files.push_back(copy_of(home, entry));
    plan.bytes += entry.size;
  }
  if (with_partial && !target.immediate) add_streamed_partial(home, last, segment_size(info), plan);
  return plan;
}

}  // namespace barman::engine
