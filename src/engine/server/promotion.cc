#include "engine/server/promotion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "engine/server/change_record.h"
#include "engine/wal/wal_archive.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

namespace {

using pgformat::Segment;

// A file that cannot be looked at is not called missing.
bool is_waiting(const std::filesystem::path& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::not_found) return false;
  if (error) throw Error(ErrorKind::kFailed, "looking at " + path.native() + ": " + error.message());
  return true;
}

// Whether a segment that was not in the archive is on its way. Looks there again at the end: it may have been
// moved meanwhile.
bool is_arriving(const Home& home, WalArchive& archive, const Segment& segment) {
  const std::string name = pgformat::format_segment(segment);
  return is_waiting(home.incoming / name) || is_waiting(home.streaming / name) ||
         is_waiting(home.streaming / (name + pgformat::kPartialSuffix)) || find_archived(archive, name);
}

bool says_so_already(const catalog::BackupInfo& info, const Promotion& verdict) {
  return verdict.status == info.status && verdict.error == info.error;
}

Promotion promotion_failed(std::string error) {
  return {.status = catalog::BackupStatus::kFailed, .error = std::move(error)};
}

// The verdict on the segments from `begin` to `end`, of which those up to `newest` can be expected.
Promotion judge_range(const Home& home, WalArchive& archive, const Segment& begin, const Segment& end,
                      const Segment& newest, pgformat::SegmentSize size) {
  std::optional<Segment> missing;
  visit_missing(archive, begin, std::min(end, newest), size, [&](const Segment& segment) {
    missing = segment;
    return false;
  });
  if (missing && is_arriving(home, archive, *missing)) return {};
  if (missing) {
    return promotion_failed("At least one WAL file is missing. The first missing WAL file is " +
                            pgformat::format_segment(*missing));
  }
  return end <= newest ? Promotion{.status = catalog::BackupStatus::kDone} : Promotion{};
}

}  // namespace

std::optional<Promotion> judge_promotion(const Home& home, const catalog::BackupInfo& info) {
  const auto begin = info.begin_wal ? pgformat::parse_segment(*info.begin_wal) : std::nullopt;
  const auto end = info.end_wal ? pgformat::parse_segment(*info.end_wal) : std::nullopt;
  if (!begin || !end) return std::nullopt;
  if (begin->timeline != end->timeline) {
    return promotion_failed(
        fmt::format("The backup began on timeline {} ({}) and ended on timeline {} ({}): the server was "
                    "promoted or switched meanwhile, so it cannot be restored. Take a new backup",
                    begin->timeline, *info.begin_wal, end->timeline, *info.end_wal));
  }
  const auto archive = wal_archive(home);
  const auto newest = newest_archived(*archive, begin->timeline);
  if (!newest || *newest < *begin) return Promotion{};
  return judge_range(home, *archive, *begin, *end, *newest,
                     info.xlog_segment_size.value_or(pgformat::kDefaultSegmentSize));
}

catalog::BackupInfo promote(const Home& home, catalog::Catalog& catalog, catalog::BackupInfo info) {
  // What is not available yet is changed by whoever takes it, and what failed stays so.
  if (!catalog::is_available(info)) return info;
  const auto verdict = judge_promotion(home, info);
  if (!verdict || says_so_already(info, *verdict)) return info;
  auto now = change_record(home, catalog, info.id, [&](catalog::BackupInfo& record) {
    // Somebody else has judged it meanwhile.
    if (record.status != info.status || record.end_wal != info.end_wal) return false;
    record.status = verdict->status;
    record.error = verdict->error;
    return true;
  });
  return now ? *std::move(now) : std::move(info);
}

}  // namespace barman::engine
