#include "report/archived_wal.h"

#include <fmt/format.h>

#include "report/writer.h"

namespace barman::report {

namespace {

std::string why_not_free(std::uint64_t files, const std::optional<std::uint64_t>& timeline) {
  if (!timeline) return "Expected empty archive";
  return fmt::format("Found {} file{} in WAL archive equal to or newer than timeline {}", files,
                     files == 1 ? "" : "s", *timeline);
}

}  // namespace

void report_wal_archive(const std::string& server, std::uint64_t files,
                        const std::optional<std::uint64_t>& timeline, Writer& out) {
  out.line(fmt::format("Server {}:", server));
  if (files > 0) {
    out.put({server}, "{}");
    out.error(
        fmt::format("WAL archive check failed for server {}: {}", server, why_not_free(files, timeline)));
    return;
  }
  const std::string passed = fmt::format("WAL archive check for server {} passed", server);
  out.line(" - " + passed);
  out.put({server}, json_string(passed));
}

void begin_wal_range(const std::string& server, const RangeEnds& ends, Writer& out) {
  out.line(fmt::format("Server {}:", server));
  out.put({server, "begin_wal"}, json_string(ends.begin));
  out.put({server, "end_wal"}, json_string(ends.end));
}

void report_wal_range(const std::string& server, const RangeEnds& ends,
                      const std::vector<engine::Stretch>& missing, pgformat::SegmentSize size, Writer& out) {
  const std::vector<std::string> place = {server, "missing_wals"};
  out.put(place, "[]");
  std::uint64_t count = 0;
  for (const engine::Stretch& gap : missing) count += pgformat::segments_between(gap.first, gap.last, size);
  if (count == 0) {
    out.line(fmt::format("\tWAL sequence check for server {}: all segments are present", server));
    return;
  }
  out.line(fmt::format("\tWAL sequence check for server {}: {} missing segment(s):", server, count));
  for (const engine::Stretch& gap : missing) {
    const pgformat::Segment end = pgformat::next_segment(gap.last, size);
    for (pgformat::Segment at = gap.first; at != end; at = pgformat::next_segment(at, size)) {
      const std::string name = pgformat::format_segment(at);
      out.line("\t\t" + name);
      out.append(place, json_string(name));
    }
  }
  out.error(fmt::format("WAL sequence check failed for server '{}': {} missing segment(s) in range {}..{}",
                        server, count, ends.begin, ends.end));
}

}  // namespace barman::report
