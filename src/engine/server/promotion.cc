#include "engine/server/promotion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

namespace {

using pgformat::Segment;

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().native());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorKind::kFailed, "reading " + folder.native() + ": " + error.message());
  }
  return names;
}

std::optional<Segment> newest_in(const std::filesystem::path& folder) {
  std::optional<Segment> newest;
  for (const std::string& name : names_in(folder)) {
    newest = std::max(newest, pgformat::parse_segment(name));
  }
  return newest;
}

// Sixteen digits: timeline and log. A history file's name has as many characters.
bool is_folder_of_segments(const std::string& name, std::string_view timeline) {
  return name.size() == 16 && name.starts_with(timeline) &&
         name.find_first_not_of("0123456789ABCDEF") == std::string::npos;
}

// The newest whole segment of a timeline, from the folders of the archive.
std::optional<Segment> newest_archived(const Home& home, pgformat::Timeline timeline) {
  const std::string prefix = fmt::format("{:08X}", timeline);
  std::vector<std::string> folders = names_in(home.wals);
  std::erase_if(folders, [&](const std::string& name) { return !is_folder_of_segments(name, prefix); });
  std::ranges::sort(folders, std::greater<>{});
  for (const std::string& folder : folders) {
    if (auto newest = newest_in(home.wals / folder)) return newest;
  }
  return std::nullopt;
}

// A file that cannot be looked at is not called missing.
bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::not_found) return false;
  if (error) throw Error(ErrorKind::kFailed, "looking at " + path.native() + ": " + error.message());
  return true;
}

bool is_archived(const Home& home, const Segment& segment) {
  return is_there(home.archived({.kind = pgformat::WalKind::kSegment, .segment = segment},
                                pgformat::format_segment(segment)));
}

// Whether a segment that is not archived is on its way. Looks into the archive again at the end: it may have
// been moved there meanwhile.
bool is_arriving(const Home& home, const Segment& segment) {
  const std::string name = pgformat::format_segment(segment);
  return is_there(home.incoming / name) || is_there(home.streaming / name) ||
         is_there(home.streaming / (name + ".partial")) || is_archived(home, segment);
}

Promotion failed(std::string error) {
  return {.status = catalog::BackupStatus::kFailed, .error = std::move(error)};
}

// The verdict on the segments from `begin` to `end`, of which those up to `newest` can be expected.
Promotion judge_range(const Home& home, const Segment& begin, const Segment& end, const Segment& newest,
                      pgformat::SegmentSize size) {
  const Segment last = std::min(end, newest);
  for (Segment at = begin; at <= last; at = pgformat::next_segment(at, size)) {
    if (is_archived(home, at)) continue;
    if (is_arriving(home, at)) return {};
    return failed("At least one WAL file is missing. The first missing WAL file is " +
                  pgformat::format_segment(at));
  }
  return end <= newest ? Promotion{.status = catalog::BackupStatus::kDone} : Promotion{};
}

}  // namespace

std::optional<Promotion> judge_promotion(const Home& home, const catalog::BackupInfo& info) {
  const auto begin = info.begin_wal ? pgformat::parse_segment(*info.begin_wal) : std::nullopt;
  const auto end = info.end_wal ? pgformat::parse_segment(*info.end_wal) : std::nullopt;
  if (!begin || !end) return std::nullopt;
  if (begin->timeline != end->timeline) {
    return failed(
        fmt::format("The backup began on timeline {} ({}) and ended on timeline {} ({}): the server was "
                    "promoted or switched meanwhile, so it cannot be restored. Take a new backup",
                    begin->timeline, *info.begin_wal, end->timeline, *info.end_wal));
  }
  const auto newest = newest_archived(home, begin->timeline);
  if (!newest || *newest < *begin) return Promotion{};
  return judge_range(home, *begin, *end, *newest,
                     info.xlog_segment_size.value_or(pgformat::kDefaultSegmentSize));
}

catalog::BackupInfo promote(const Home& home, catalog::Catalog& catalog, catalog::BackupInfo info) {
  auto verdict = judge_promotion(home, info);
  if (!verdict || (verdict->status == info.status && verdict->error == info.error)) return info;
  info.status = verdict->status;
  info.error = std::move(verdict->error);
  catalog.save(info);
  return info;
}

}  // namespace barman::engine
