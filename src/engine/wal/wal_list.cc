#include "engine/wal/wal_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"

namespace barman::engine {

namespace {

using pgformat::Segment;
using pgformat::WalKind;

struct Limits {
  Segment begin;
  pgformat::Timeline timeline = 0;
  std::optional<Segment> last{};
};

Segment segment_or_throw(std::string_view name, std::string_view field) {
  const auto segment = pgformat::parse_segment(name);
  if (!segment) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} of the backup is \"{}\", which is not a WAL segment", field, name));
  }
  return *segment;
}

Limits limits_of(const WalRange& range) {
  const Segment end = segment_or_throw(range.end_wal, "end_wal");
  Limits limits{
      segment_or_throw(range.begin_wal, "begin_wal"), range.target_timeline.value_or(end.timeline), {}};
  if (range.immediate) {
    limits.last = end;
  } else if (range.target_lsn) {
    limits.last = std::max(end, pgformat::segment_of(*range.target_lsn, limits.timeline, range.segment_size));
  }
  return limits;
}

bool is_needed(const Limits& limits, const pgformat::WalName& name) {
  if (name.kind == WalKind::kHistory) return true;
  if (name.segment < limits.begin || name.segment.timeline > limits.timeline) return false;
  return !limits.last || name.segment <= *limits.last;
}

}  // namespace

std::vector<catalog::WalEntry> needed_wal(const WalRange& range, std::span<const catalog::WalEntry> index) {
  const Limits limits = limits_of(range);
  std::vector<catalog::WalEntry> needed;
  std::set<std::string_view> seen;
  for (const catalog::WalEntry& entry : index) {
    const auto name = pgformat::parse_wal_name(entry.name);
    if (name && is_needed(limits, *name) && seen.insert(entry.name).second) needed.push_back(entry);
  }
  return needed;
}

std::vector<Stretch> recovery_path(const Segment& begin, std::span<const Fork> forks, const Segment& last,
                                   pgformat::SegmentSize size) {
  std::vector<Stretch> path;
  Segment from = begin;
  const auto add_up_to = [&](const Segment& to) {
    if (from <= to) path.push_back({from, to});
  };
  const auto first = std::ranges::find(forks, begin.timeline, &Fork::parent);
  if (first == forks.end() && begin.timeline != last.timeline) {
    throw Error(ErrorKind::kRefused,
                fmt::format("timeline {} does not descend from timeline {}, on which the backup begins",
                            last.timeline, begin.timeline));
  }
  for (auto fork = first; fork != forks.end(); ++fork) {
    const auto next = std::next(fork);
    const Segment branch = pgformat::segment_of(fork->at, fork->parent, size);
    if (branch < from) {
      throw Error(ErrorKind::kRefused,
                  fmt::format("timeline {} left timeline {} at {}, before segment {}", last.timeline,
                              fork->parent, pgformat::format_lsn(fork->at), pgformat::format_segment(from)));
    }
    if (from < branch) add_up_to(pgformat::previous_segment(branch, size));
    from = branch;
    from.timeline = next == forks.end() ? last.timeline : next->parent;
  }
  add_up_to(last);
  return path;
}

std::vector<Stretch> missing_wal(std::span<const Stretch> path, std::span<const catalog::WalEntry> index,
                                 pgformat::SegmentSize size) {
  std::set<Segment> present;
  for (const catalog::WalEntry& entry : index) {
    if (const auto segment = pgformat::parse_segment(entry.name)) present.insert(*segment);
  }
  std::vector<Stretch> missing;
  for (const Stretch& stretch : path) {
    // From one present segment to the next: a stretch may span more numbers than there are files.
    Segment from = stretch.first;
    const auto miss = [&](const Segment& before) {
      if (from < before) missing.push_back({from, pgformat::previous_segment(before, size)});
    };
    const auto end = present.upper_bound(stretch.last);
    for (auto at = present.lower_bound(stretch.first); at != end; ++at) {
      miss(*at);
      from = pgformat::next_segment(*at, size);
    }
    miss(pgformat::next_segment(stretch.last, size));
  }
  return missing;
}

std::optional<Segment> newest_segment(std::span<const catalog::WalEntry> index, pgformat::Timeline timeline) {
  std::optional<Segment> newest;
  for (const catalog::WalEntry& entry : index) {
    const auto segment = pgformat::parse_segment(entry.name);
    if (segment && segment->timeline == timeline && (!newest || *newest < *segment)) newest = segment;
  }
  return newest;
}

std::string format_stretch(const Stretch& stretch, pgformat::SegmentSize size) {
  if (stretch.first == stretch.last) return pgformat::format_segment(stretch.first);
  return fmt::format("{} to {} ({} segments)", pgformat::format_segment(stretch.first),
                     pgformat::format_segment(stretch.last),
                     pgformat::segments_between(stretch.first, stretch.last, size));
}

}  // namespace barman::engine
