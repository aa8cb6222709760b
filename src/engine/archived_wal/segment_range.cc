#include "engine/archived_wal/segment_range.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/wal/wal_archive.h"

namespace barman::engine {

namespace {

using pgformat::Segment;

[[noreturn]] void throw_no_segment(const std::string& name) {
  throw Error(ErrorKind::kUsage, fmt::format("Invalid WAL segment name: {}", name));
}

Segment named_segment(const std::string& name) {
  const auto segment = pgformat::parse_segment(name);
  if (!segment) throw_no_segment(name);
  return *segment;
}

// No cluster gets to the last log; behind it the arithmetic of names begins anew.
void require_possible(const Segment& segment, pgformat::SegmentSize size) {
  if (segment.seg > pgformat::last_seg_of_log(size) || segment.log == UINT32_MAX) {
    throw_no_segment(pgformat::format_segment(segment));
  }
}

// The segments of the range that are there.
std::vector<catalog::WalEntry> present_in(WalArchive& archive, const Stretch& range) {
  std::vector<catalog::WalEntry> present;
  for (const std::string& folder : archive.folders()) {
    const auto in_folder = [&](const Segment& segment) {
      return pgformat::format_segment(segment).substr(0, folder.size());
    };
    if (folder < in_folder(range.first) || folder > in_folder(range.last)) continue;
    std::vector<std::string> names = archive.names_in(folder);
    std::erase_if(names, [&](const std::string& name) {
      const auto segment = pgformat::parse_segment(name);
      return !segment || *segment < range.first || range.last < *segment;
    });
    for (const auto& file : archive.find(names)) {
      if (file && file->entry.size > 0) present.push_back(file->entry);
    }
  }
  return present;
}

}  // namespace

Stretch parse_segment_range(const std::string& begin, const std::string& end) {
  const Stretch range{.first = named_segment(begin), .last = named_segment(end)};
  if (range.first.timeline != range.last.timeline) {
    throw Error(ErrorKind::kUsage,
                fmt::format("begin_wal ({}) and end_wal ({}) must be on the same timeline", begin, end));
  }
  if (range.last < range.first) {
    throw Error(ErrorKind::kUsage,
                fmt::format("begin_wal ({}) must not be greater than end_wal ({})", begin, end));
  }
  return range;
}

std::optional<pgformat::SegmentSize> recorded_segment_size(const std::vector<catalog::BackupInfo>& backups) {
  const auto known = std::find_if(backups.rbegin(), backups.rend(),
                                  [](const auto& info) { return info.xlog_segment_size.value_or(0) > 0; });
  return known == backups.rend() ? std::nullopt : known->xlog_segment_size;
}

std::vector<Stretch> missing_in_archive(const Home& home, const Stretch& range, pgformat::SegmentSize size) {
  require_possible(range.first, size);
  require_possible(range.last, size);
  const std::vector<catalog::WalEntry> present = present_in(*wal_archive(home), range);
  const Stretch path[] = {range};
  return missing_wal(path, present, size);
}

}  // namespace barman::engine
