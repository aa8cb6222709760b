// Where receiving starts: the one place that decides about gaps. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pgformat/backup_label.h"
#include "pgformat/lsn.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

// A file of the streaming folder.
struct ReceivedSegment {
  pgformat::Segment segment;
  bool complete = false;
  bool operator==(const ReceivedSegment&) const = default;
};

// The server that is to be received from, and its past.
struct ServerTimeline {
  pgformat::Timeline timeline = 0;
  pgformat::Lsn flushed;
  std::vector<pgformat::HistoryEntry> ancestors{};  // oldest first
};

struct StartPoint {
  pgformat::Lsn lsn;  // at the start of a segment
  pgformat::Timeline timeline = 0;
  std::optional<std::string> remark{};  // something a person should know about the choice
  bool operator==(const StartPoint&) const = default;
};

struct KnownWal {
  std::span<const ReceivedSegment> received;    // in the streaming folder
  std::optional<pgformat::Segment> archived{};  // the newest one in the archive
  std::optional<pgformat::Lsn> slot_restart{};  // of the replication slot
};

// After what is in the streaming folder; else after what is in the archive, or earlier where the slot says
// so; else where the slot is; else where the server is. A timeline that the server left is followed up to
// where it left it. Throws kFailed if what is there is not of the server's past, or ahead of it.
StartPoint start_point(const KnownWal& known, const ServerTimeline& server, pgformat::SegmentSize size);

// The timeline of the server's past that the byte at `lsn` belongs to.
pgformat::Timeline timeline_at(pgformat::Lsn lsn, const ServerTimeline& server);

}  // namespace barman::engine
