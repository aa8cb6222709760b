#include "catalog/wal_sizes.h"

#include <algorithm>
#include <limits>

namespace barman::catalog {

void WalSizes::add(const WalLine& line) {
  const auto segment = pgformat::parse_segment(line.name);
  if (!segment) return;
  entries_.push_back({.segment = *segment, .size = line.size, .time = line.time});
  indexed_ = false;
}

WalOfBackup WalSizes::of(const BackupInfo& info, const BackupInfo* next) {
  const auto begin = info.begin_wal ? pgformat::parse_segment(*info.begin_wal) : std::nullopt;
  const auto end = info.end_wal ? pgformat::parse_segment(*info.end_wal) : std::nullopt;
  if (!begin || !end) return {};
  index();
  const auto next_end =
      next != nullptr && next->end_wal ? pgformat::parse_segment(*next->end_wal) : std::nullopt;
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  const pgformat::Segment end_of_timeline{.timeline = begin->timeline, .log = kMost, .seg = kMost};
  const std::size_t from = first_not_before(*begin);
  const std::size_t to = first_after(next_end ? std::min(*next_end, end_of_timeline) : end_of_timeline);
  const std::size_t middle = std::clamp(first_after(*end), from, std::max(from, to));
  WalOfBackup found{.own = between(from, middle), .until_next = between(middle, to)};
  if (to > from) {
    found.last = pgformat::format_segment(entries_[to - 1].segment);
    found.seconds = entries_[to - 1].time - entries_[from].time;
  }
  return found;
}

void WalSizes::index() {
  if (indexed_) return;
  if (!std::ranges::is_sorted(entries_, {}, &Entry::segment))
    std::ranges::stable_sort(entries_, {}, &Entry::segment);
  std::size_t kept = 0;
  for (const Entry& entry : entries_) {
    if (kept > 0 && entries_[kept - 1].segment == entry.segment) --kept;
    entries_[kept++] = entry;
  }
  entries_.resize(kept);
  bytes_before_.assign(1, 0);
  bytes_before_.reserve(kept + 1);
  for (const Entry& entry : entries_) bytes_before_.push_back(bytes_before_.back() + entry.size);
  indexed_ = true;
}

WalTotal WalSizes::between(std::size_t from, std::size_t to) const {
  if (to <= from) return {};
  return {.files = to - from, .bytes = bytes_before_[to] - bytes_before_[from]};
}

std::size_t WalSizes::first_not_before(const pgformat::Segment& segment) const {
  return static_cast<std::size_t>(std::ranges::lower_bound(entries_, segment, {}, &Entry::segment) -
                                  entries_.begin());
}

std::size_t WalSizes::first_after(const pgformat::Segment& segment) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(entries_, segment, {}, &Entry::segment) -
                                  entries_.begin());
}

}  // namespace barman::catalog
