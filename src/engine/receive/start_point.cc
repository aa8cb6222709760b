#include "engine/receive/start_point.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace barman::engine {

namespace {

using pgformat::Lsn;
using pgformat::SegmentSize;
using pgformat::Timeline;

constexpr std::string_view kReset =
    "If the WAL that is here is not needed, 'barman receive-wal --reset' makes receiving start where the "
    "server is";

Lsn segment_start(Lsn lsn, SegmentSize size) { return {lsn.value - pgformat::offset_in_segment(lsn, size)}; }

const pgformat::HistoryEntry* ancestor(const ServerTimeline& server, Timeline timeline) {
  const auto found = std::ranges::find(server.ancestors, timeline, &pgformat::HistoryEntry::parent);
  return found == server.ancestors.end() ? nullptr : &*found;
}

// Goes on at `lsn` of `timeline`, which is where WAL that we have ends.
StartPoint go_on(Lsn lsn, Timeline timeline, const ServerTimeline& server, SegmentSize size) {
  if (timeline == server.timeline) {
    if (lsn <= server.flushed) return {.lsn = lsn, .timeline = timeline};
    throw Error(
        ErrorKind::kFailed,
        fmt::format(
            "the WAL received so far ends at {}, but the server has only written up to {}: it has lost "
            "WAL, or is not the one that was received from. {}",
            pgformat::format_lsn(lsn), pgformat::format_lsn(server.flushed), kReset));
  }
  const pgformat::HistoryEntry* left = ancestor(server, timeline);
  if (left == nullptr) {
    throw Error(
        ErrorKind::kFailed,
        fmt::format("the WAL received so far is of timeline {}, which the server, on timeline {}, does not "
                    "descend from. {}",
                    timeline, server.timeline, kReset));
  }
  if (lsn <= left->switched_at) return {.lsn = lsn, .timeline = timeline};
  return {.lsn = segment_start(left->switched_at, size),
          .timeline = timeline_at(left->switched_at, server),
          .remark = fmt::format(
              "the server left timeline {} at {}; WAL of that timeline up to {} is here too and is kept",
              timeline, pgformat::format_lsn(left->switched_at), pgformat::format_lsn(lsn))};
}

Lsn end_of(const ReceivedSegment& received, SegmentSize size) {
  const Lsn start = pgformat::start_of(received.segment, size);
  return received.complete ? Lsn{start.value + size} : start;
}

bool is_of_its_past(Timeline timeline, const ServerTimeline& server) {
  return timeline == server.timeline || ancestor(server, timeline) != nullptr;
}

// The newest of those that the server knows the timeline of; else the newest.
const ReceivedSegment& newest(std::span<const ReceivedSegment> received, const ServerTimeline& server) {
  const auto rank = [&](const ReceivedSegment& one) {
    return std::tuple(is_of_its_past(one.segment.timeline, server), one.segment, one.complete);
  };
  return *std::ranges::max_element(received, {}, rank);
}

}  // namespace

Timeline timeline_at(Lsn lsn, const ServerTimeline& server) {
  for (const pgformat::HistoryEntry& entry : server.ancestors) {
    if (lsn < entry.switched_at) return entry.parent;
  }
  return server.timeline;
}

StartPoint start_point(const KnownWal& known, const ServerTimeline& server, SegmentSize size) {
  if (!known.received.empty()) {
    const ReceivedSegment& last = newest(known.received, server);
    return go_on(end_of(last, size), last.segment.timeline, server, size);
  }
  const auto slot =
      known.slot_restart ? std::optional(segment_start(*known.slot_restart, size)) : std::nullopt;
  if (known.archived) {
    const Lsn end = end_of({.segment = *known.archived, .complete = true}, size);
    if (!slot || end < *slot) return go_on(end, known.archived->timeline, server, size);
  }
  const Lsn start = slot.value_or(segment_start(server.flushed, size));
  return {.lsn = start, .timeline = timeline_at(start, server)};
}

}  // namespace barman::engine
