// What the checks of the archive of WAL found: check-wal-archive and check-archived-wal-range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/wal/wal_list.h"

namespace barman::report {

class Writer;

// `files` are in the way; `timeline` is what was asked for, if anything was.
void report_wal_archive(const std::string& server, std::uint64_t files,
                        const std::optional<std::uint64_t>& timeline, Writer& out);

// The ends of a range as they were given.
struct RangeEnds {
  std::string begin;
  std::string end;
};

// Comes first, as there may be nothing more to say.
void begin_wal_range(const std::string& server, const RangeEnds& ends, Writer& out);

void report_wal_range(const std::string& server, const RangeEnds& ends,
                      const std::vector<engine::Stretch>& missing, pgformat::SegmentSize size, Writer& out);

}  // namespace barman::report
