#include "engine/receive/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "engine/wal/wal_archive.h"
#include "os/durable_file.h"
#include "os/fault_point.h"

namespace barman::engine {

void SegmentWriter::write(pgformat::Lsn at, stream::Bytes data) {
  while (!data.empty()) {
    const std::uint64_t offset = pgformat::offset_in_segment(at, size_);
    const std::size_t fits = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - offset, data.size()));
    open(pgformat::segment_of(at, timeline_, size_));
    current_->write(offset, data.first(fits));
    data = data.subspan(fits);
    at.value += fits;
    written_ = at;
    if (offset + fits == size_) complete();
  }
  os::fault_point("receive-wal-written");
}

void SegmentWriter::open(const pgformat::Segment& segment) {
  if (current_ != nullptr && current_->segment() == segment) return;
  current_ = std::make_unique<PartialSegment>(home_.streaming, segment, size_);
}

void SegmentWriter::complete() {
  const pgformat::Segment done = current_->segment();
  current_->complete();
  events_.info(fmt::format("{}: finished segment {}", home_.server, pgformat::format_segment(done)));
  // The next file at once: archive-wal takes a complete segment only when a newer file marks where receiving
  // goes on, and the server's next WAL may be long in coming.
  open(pgformat::next_segment(done, size_));
}

pgformat::Lsn SegmentWriter::flush() {
  if (current_ != nullptr) current_->sync();
  return written_.value_or(pgformat::Lsn{});
}

void SegmentWriter::history(pgformat::Timeline timeline, std::string_view name, std::string_view text) {
  const std::filesystem::path path = home_.streaming / name;
  if (std::filesystem::exists(path) || is_archived(timeline)) return;
  os::write_file(path, text);
}

bool SegmentWriter::is_archived(pgformat::Timeline timeline) {
  const std::string name = pgformat::format_history_name(timeline);
  try {
    return find_archived(*wal_archive(home_), name).has_value();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    // Receiving goes on; whoever archives the file finds that it is there.
    events_.log(LogLevel::kWarning, fmt::format("{}: looking for {}: {}", home_.server, name, error.what()));
    return false;
  }
}

void SegmentWriter::timeline_ended(pgformat::Timeline ended, pgformat::Lsn end, pgformat::Timeline next) {
  if (current_ != nullptr) {
    current_->sync();
    // Begun ahead of time, and nothing came: the timeline ended with the segment before.
    if (pgformat::start_of(current_->segment(), size_) == end) current_->discard();
    current_.reset();
  }
  timeline_ = next;
  events_.info(fmt::format("{}: timeline {} ended at {}, going on with timeline {}", home_.server, ended,
                           pgformat::format_lsn(end), next));
}

}  // namespace barman::engine
