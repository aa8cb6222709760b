#include "catalog/timelines.h"

#include <algorithm>

namespace barman::catalog {

std::vector<pgformat::Timeline> reachable_timelines(pgformat::Timeline from, pgformat::Lsn end,
                                                    std::span<const TimelineHistory> histories) {
  std::vector<pgformat::Timeline> found;
  for (const TimelineHistory& history : histories) {
    const bool reached = std::ranges::any_of(history.ancestors, [&](const pgformat::HistoryEntry& entry) {
      return entry.parent == from && entry.switched_at >= end;
    });
    if (reached) found.push_back(history.timeline);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace barman::catalog
