// Which archived files a recovery needs, and which of them are missing. Pure: no disk.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/xlogdb.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

// What a recovery reads: from where, and what ends it.
struct WalRange {
  std::string begin_wal;  // of the backup
  std::string end_wal;
  // Defaults to that of end_wal.
  std::optional<pgformat::Timeline> target_timeline{};
  bool immediate = false;  // recovery ends with the backup
  std::optional<pgformat::Lsn> target_lsn{};
  pgformat::SegmentSize segment_size = pgformat::kDefaultSegmentSize;
};

// The files to copy, in the order of the index, each once: all history files; segments, backup labels and
// partials from begin_wal on, of timelines up to the target's, up to where the target is an LSN or immediate.
// Any other target (time, transaction, name) needs all that there is.
std::vector<catalog::WalEntry> needed_wal(const WalRange& range, std::span<const catalog::WalEntry> index);

// Segments in a row on one timeline, both ends counted.
struct Stretch {
  pgformat::Segment first;
  pgformat::Segment last;
  auto operator<=>(const Stretch&) const = default;
};

// A timeline's parent and where it left it: a line of its history file.
struct Fork {
  pgformat::Timeline parent = 0;
  pgformat::Lsn at;
};

// The way of a recovery from `begin` to `timeline`, whose history is `forks`, oldest first: one stretch per
// timeline. A segment in which a timeline begins is read from the new one. The last stretch ends at `last`.
// Empty stretches are left out. Throws kRefused if the history does not pass through `begin`: the timeline
// left that of `begin` before it.
std::vector<Stretch> recovery_path(const pgformat::Segment& begin, std::span<const Fork> forks,
                                   const pgformat::Segment& last, pgformat::SegmentSize size);

// The segments of `path` that the index does not have, as stretches; adjacent ones are one.
std::vector<Stretch> missing_wal(std::span<const Stretch> path, std::span<const catalog::WalEntry> index,
                                 pgformat::SegmentSize size);

// The newest whole segment of a timeline in the index.
std::optional<pgformat::Segment> newest_segment(std::span<const catalog::WalEntry> index,
                                                pgformat::Timeline timeline);

// "000000010000000000000003" or "000000010000000000000003 to 000000010000000000000007 (5 segments)".
std::string format_stretch(const Stretch& stretch, pgformat::SegmentSize size);

}  // namespace barman::engine
