#include "engine/receive/streaming_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/wal/stored_wal.h"
#include "engine/wal/wal_archive.h"
#include "pgformat/wal_name.h"
#include "pgformat/wal_page.h"

namespace barman::engine {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorKind::kFailed, fmt::format("cannot read {}: {}", folder.string(), error.message()));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

fs::path path_of(const Home& home, const ReceivedSegment& received) {
  return home.streaming /
         (pgformat::format_segment(received.segment) + (received.complete ? "" : pgformat::kPartialSuffix));
}

std::vector<ReceivedSegment> received_segments(const Home& home, pgformat::SegmentSize size, Events& events) {
  std::vector<ReceivedSegment> received;
  for (const std::string& name : names_in(home.streaming)) {
    const auto parsed = pgformat::parse_wal_name(name);
    if (!parsed) continue;
    if (parsed->kind == pgformat::WalKind::kPartial) {
      received.push_back({.segment = parsed->segment, .complete = false});
    } else if (parsed->kind == pgformat::WalKind::kSegment) {
      std::error_code error;
      const auto length = fs::file_size(home.streaming / name, error);
      if (!error && length == size) {
        received.push_back({.segment = parsed->segment, .complete = true});
      } else if (!error) {  // it may just have been archived
        events.warning(
            fmt::format("{} has {} bytes, and a segment of the server {}: it will be received again",
                        (home.streaming / name).string(), length, size));
      }
    }
  }
  return received;
}

std::optional<pgformat::Segment> newest_archived(const Home& home) {
  const auto archive = wal_archive(home);
  const auto newest = newest_archived(*archive);
  return newest.empty() ? std::nullopt : std::optional(newest.rbegin()->second);
}

void require_same_cluster(const Home& home, std::span<const ReceivedSegment> received,
                          const std::string& system_identifier) {
  for (const ReceivedSegment& one : received) {
    const fs::path path = path_of(home, one);
    if (!fs::exists(path)) continue;
    const auto header = pgformat::parse_wal_header(read_front(path, pgformat::kWalHeaderSize));
    if (!header || std::to_string(header->system_identifier) == system_identifier) continue;
    throw Error(
        ErrorKind::kFailed,
        fmt::format(
            "{} is of the PostgreSQL cluster {}, but the server is the cluster {}. Check the connection "
            "strings; if the server was replaced on purpose, give the new one a server section of its own",
            path.string(), header->system_identifier, system_identifier));
  }
}

}  // namespace barman::engine
