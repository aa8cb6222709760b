#include "engine/wal/wal_archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/wal/bucket_archive.h"
#include "engine/wal/local_archive.h"
#include "engine/wal/stored_stages.h"
#include "stream/chain.h"

namespace barman::engine {

namespace {

using pgformat::Segment;

std::optional<Segment> newest_in(WalArchive& archive, const std::string& folder) {
  std::optional<Segment> newest;
  for (const std::string& name : archive.names_in(folder)) {
    newest = std::max(newest, pgformat::parse_segment(name));
  }
  return newest;
}

pgformat::Timeline timeline_of(const std::string& folder) {
  return pgformat::parse_segment(folder + "00000000")->timeline;
}

}  // namespace

std::unique_ptr<WalArchive> wal_archive(const Home& home) {
  if (home.wal_bucket) return std::make_unique<BucketArchive>(*home.wal_bucket);
  return std::make_unique<LocalArchive>(home);
}

std::optional<WalFile> find_archived(WalArchive& archive, const std::string& name) {
  return archive.find({&name, 1}).front();
}

std::optional<Segment> newest_archived(WalArchive& archive, pgformat::Timeline timeline) {
  const std::vector<std::string> folders = archive.folders();
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (timeline_of(*folder) != timeline) continue;
    if (auto newest = newest_in(archive, *folder)) return newest;
  }
  return std::nullopt;
}

std::map<pgformat::Timeline, Segment> newest_archived(WalArchive& archive) {
  std::map<pgformat::Timeline, Segment> newest;
  const std::vector<std::string> folders = archive.folders();
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (newest.contains(timeline_of(*folder))) continue;
    if (const auto segment = newest_in(archive, *folder)) newest.emplace(segment->timeline, *segment);
  }
  return newest;
}

void visit_missing(WalArchive& archive, const Segment& first, const Segment& last, pgformat::SegmentSize size,
                   const std::function<bool(const Segment&)>& visit) {
  constexpr std::size_t kAtATime = 1024;
  if (last < first) return;
  std::vector<std::string> names;
  Segment begin = first;  // of those in `names`
  for (Segment at = first;; at = pgformat::next_segment(at, size)) {
    names.push_back(pgformat::format_segment(at));
    if (at != last && names.size() < kAtATime) continue;
    for (const auto& found : archive.find(names)) {
      if (!found && !visit(begin)) return;
      begin = pgformat::next_segment(begin, size);
    }
    if (at == last) return;
    names.clear();
  }
}

void copy_plain(WalArchive& archive, const WalFile& wal, const WalFormat& format,
                std::unique_ptr<stream::Sink> to, const std::stop_token& stop) {
  during(fmt::format("reading {}", archive.place(wal)), [&] {
    const auto path =
        stream::chain(format.to_plain(wal.parsed, stop), whole_segment(wal.parsed), std::move(to));
    archive.read(wal, *path);
    path->finish();
  });
}

std::optional<std::string> read_plain_text(WalArchive& archive, const std::string& name,
                                           const WalFormat& format) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  const auto wal = find_archived(archive, name);
  if (!wal) return std::nullopt;
  std::string text;
  copy_plain(archive, *wal, format, limited_text(text, kMost), {});
  return text;
}

}  // namespace barman::engine
