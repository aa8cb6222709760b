// Names of WAL files, and the arithmetic between names and positions.
//
// Source: PostgreSQL's access/xlog_internal.h. A segment is named by 24 hexadecimal digits: timeline, log,
// segment, eight each. Names that we make are upper case; either case is read.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgformat/lsn.h"

namespace barman::pgformat {

// Bytes of a WAL segment: a power of two from 1 MiB to 1 GiB.
using SegmentSize = std::uint64_t;
inline constexpr SegmentSize kDefaultSegmentSize = 16 * 1024 * 1024;

// A complete segment, by its place: ordered as names are.
struct Segment {
  Timeline timeline = 0;
  std::uint32_t log = 0;
  std::uint32_t seg = 0;

  auto operator<=>(const Segment&) const = default;
};

// What a segment has behind its name while it is not complete.
inline constexpr const char* kPartialSuffix = ".partial";

enum class WalKind { kSegment, kPartial, kBackup, kHistory };

// What a file name says: the kind, and for all but history files the segment that it belongs to
// (for a history file only `segment.timeline`).
struct WalName {
  WalKind kind = WalKind::kSegment;
  Segment segment;
};

// Parses a base name: 24 digits, 24 digits ".partial", 24 digits "." 8 digits ".backup",
// 8 digits ".history". Nothing for any other text.
std::optional<WalName> parse_wal_name(std::string_view name);

// Exactly 24 digits.
std::optional<Segment> parse_segment(std::string_view name);

std::string format_segment(const Segment& segment);
std::string format_history_name(Timeline timeline);  // "00000002.history"

// The folder of the archive that the file belongs in: timeline and log, 16 digits; empty for history files.
std::string hash_directory(const WalName& name);

// The highest segment number within a log: 0xFFFFFFFF / size.
std::uint32_t last_seg_of_log(SegmentSize size);

Segment next_segment(const Segment& segment, SegmentSize size);
Segment previous_segment(const Segment& segment, SegmentSize size);

// The segment that holds the byte at `lsn`, and the offset of the byte in it.
Segment segment_of(Lsn lsn, Timeline timeline, SegmentSize size);
std::uint64_t offset_in_segment(Lsn lsn, SegmentSize size);

// Where a segment starts.
Lsn start_of(const Segment& segment, SegmentSize size);

// The number of segments from `first` to `last`, both counted; 0 if last comes before first.
// Both are of one timeline.
std::uint64_t segments_between(const Segment& first, const Segment& last, SegmentSize size);

}  // namespace barman::pgformat
