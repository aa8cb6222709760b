// Which timelines a backup can be recovered to.
#pragma once

#include <span>
#include <vector>

#include "pgformat/backup_label.h"

namespace barman::catalog {

// What the archived history file of a timeline says about its ancestors.
struct TimelineHistory {
  pgformat::Timeline timeline = 0;
  std::vector<pgformat::HistoryEntry> ancestors;
};

// The timelines that branched off `from` at or after `end`, the position at which a backup ended; ascending.
std::vector<pgformat::Timeline> reachable_timelines(pgformat::Timeline from, pgformat::Lsn end,
                                                    std::span<const TimelineHistory> histories);

}  // namespace barman::catalog
