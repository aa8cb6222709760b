// check-archived-wal-range: whether a range of segments is archived without a gap.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/server/home.h"
#include "engine/wal/wal_list.h"

namespace barman::engine {

// Throws kUsage for words that are no names of segments, of two timelines, or in the wrong order.
Stretch parse_segment_range(const std::string& begin, const std::string& end);

// The size of the server's segments, as its newest backup has it; nothing without one.
std::optional<pgformat::SegmentSize> recorded_segment_size(const std::vector<catalog::BackupInfo>& backups);

// The segments of `range` that are not in the archive, or empty there, in order. Throws kUsage if an end of
// it cannot be a segment of that size.
std::vector<Stretch> missing_in_archive(const Home& home, const Stretch& range, pgformat::SegmentSize size);

}  // namespace barman::engine
