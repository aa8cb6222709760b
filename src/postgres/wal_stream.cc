#include "postgres/wal_stream.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

#include "postgres/copy_message.h"
#include "postgres/quoting.h"

namespace barman::postgres {

namespace {

using Clock = SocketWait::Clock;

constexpr std::string_view kStreaming = "WAL streaming";
constexpr std::uint64_t kFlushEvery = 8 * 1024 * 1024;
constexpr std::chrono::seconds kGoodbye{3};
// After this many silent status intervals the server is asked to answer; after twice as many it counts as
// lost.
constexpr int kSilentIntervals = 3;

struct NextTimeline {
  pgformat::Timeline timeline = 0;
  pgformat::Lsn start;
};

class StreamConversation {
 public:
  StreamConversation(Connection& connection, const StreamOptions& options, pgformat::SegmentSize segment_size,
                     WalReceiver& receiver, const std::stop_token& stop)
      : connection_(connection),
        options_(options),
        segment_size_(segment_size),
        receiver_(receiver),
        stop_(stop),
        wait_(stop) {}

  void run() {
    pgformat::Timeline timeline = options_.timeline;
    pgformat::Lsn start = options_.start;
    for (;;) {
      if (timeline > 1) {
        receiver_.history(timeline, pgformat::format_history_name(timeline),
                          fetch_history(connection_, timeline, wait_));
      }
      const auto next = stream_timeline(timeline, start);
      if (!next) return;
      receiver_.timeline_ended(timeline, next->start, next->timeline);
      timeline = next->timeline;
      // From the start of the segment, so that the new timeline has all of it.
      start = {next->start.value - pgformat::offset_in_segment(next->start, segment_size_)};
    }
  }

 private:
  // Returns where it goes on when the server's timeline has ended; nothing when a stop was requested.
  std::optional<NextTimeline> stream_timeline(pgformat::Timeline timeline, pgformat::Lsn start) {
    const std::string slot =
        options_.slot ? fmt::format("SLOT {} ", quote_name(*options_.slot)) : std::string();
    connection_.send(kStreaming,
                     fmt::format("START_REPLICATION {}PHYSICAL {} TIMELINE {}", slot,
                                 pgformat::format_lsn(start), timeline),
                     wait_);
    Result result = connection_.next_result(kStreaming, wait_);
    // A server with nothing to send on an old timeline goes straight to telling the next one.
    if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) return next_timeline(std::move(result));
    written_ = flushed_ = start;
    last_heard_ = last_status_ = Clock::now();
    if (!receive()) return std::nullopt;
    flush();
    result = connection_.next_result(kStreaming, wait_);
    if (PQresultStatus(result.get()) == PGRES_COPY_IN) {
      connection_.end_copy(wait_);
      result = connection_.next_result(kStreaming, wait_);
    }
    return next_timeline(std::move(result));
  }

  // Returns false when a stop was requested, true at the end of the COPY.
  bool receive() {
    for (;;) {
      bool ended = false;
      const auto data = connection_.copy_data_at_hand(ended);
      if (ended) return true;
      if (stop_.stop_requested()) {
        say_goodbye();
        return false;
      }
      if (data) {
        take(*data);
        if (written_.value - flushed_.value >= kFlushEvery) flush_and_tell();
      } else {
        flush_and_tell();
        wait_for_data();
      }
      tell_when_due();
    }
  }

  void take(const CopyData& data) {
    last_heard_ = Clock::now();
    asked_ = false;
    const StreamMessage message = parse_stream_message(data.bytes());
    if (const auto* wal = std::get_if<WalData>(&message)) {
      if (wal->start != written_) {
        throw Error(ErrorKind::kFailed,
                    fmt::format("{}: the server sent WAL from {} when {} comes next", kStreaming,
                                pgformat::format_lsn(wal->start), pgformat::format_lsn(written_)));
      }
      receiver_.write(wal->start, wal->bytes);
      written_.value += wal->bytes.size();
    } else if (std::get<Keepalive>(message).reply_wanted) {
      flush();
      tell(false);
    }
  }

  void flush() {
    if (flushed_ < written_) flushed_ = receiver_.flush();
  }

  void flush_and_tell() {
    const pgformat::Lsn before = flushed_;
    flush();
    if (options_.prompt_feedback && flushed_ != before) tell(false);
  }

  void tell_when_due() {
    const auto now = Clock::now();
    if (now - last_status_ >= options_.status_interval) tell(now - last_heard_ >= silence_allowed());
  }

  void tell(bool reply_wanted) {
    const StandbyStatus status{.written = written_, .flushed = flushed_, .reply_wanted = reply_wanted};
    connection_.put_copy_data(format_standby_status(status, std::chrono::system_clock::now()), wait_);
    last_status_ = Clock::now();
    asked_ = asked_ || reply_wanted;
  }

  [[nodiscard]] Clock::duration silence_allowed() const {
    return options_.status_interval * kSilentIntervals;
  }

  void wait_for_data() {
    if (asked_ && Clock::now() - last_heard_ >= 2 * silence_allowed()) {
      throw Error(
          ErrorKind::kTransient,
          fmt::format("{}: the server has not answered for {} seconds", kStreaming,
                      std::chrono::duration_cast<std::chrono::seconds>(2 * silence_allowed()).count()));
    }
    try {
      connection_.wait_for_copy_data(wait_, last_status_ + options_.status_interval);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kCancelled) throw;  // the stop is seen by the caller, who says goodbye
    }
  }

  // Lets the server know all that we have, and gives it a moment to free the slot.
  void say_goodbye() {
    flush();
    SocketWait moment({}, kGoodbye);
    const StandbyStatus status{.written = written_, .flushed = flushed_};
    try {
      connection_.put_copy_data(format_standby_status(status, std::chrono::system_clock::now()), moment);
      connection_.end_copy(moment);
      while (connection_.copy_data(moment)) {
      }
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kTransient) throw;  // it will notice that we are gone
    }
  }

  NextTimeline next_timeline(Result result) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK || result == nullptr) {
      throw Error(ErrorKind::kTransient,
                  fmt::format("{}: the server ended the stream; it is shutting down", kStreaming));
    }
    NextTimeline next;
    const std::string number = field(result, 0, 0).value_or("");
    std::from_chars(number.data(), number.data() + number.size(), next.timeline);
    const auto start = pgformat::parse_lsn(field(result, 0, 1).value_or(""));
    if (next.timeline == 0 || !start) {
      throw Error(ErrorKind::kFailed,
                  fmt::format("{}: the server did not say which timeline comes next", kStreaming));
    }
    next.start = *start;
    while (connection_.next_result(kStreaming, wait_) != nullptr) {
    }
    return next;
  }

  Connection& connection_;
  const StreamOptions& options_;
  pgformat::SegmentSize segment_size_;
  WalReceiver& receiver_;
  std::stop_token stop_;
  SocketWait wait_;
  pgformat::Lsn written_;
  pgformat::Lsn flushed_;
  Clock::time_point last_heard_;
  Clock::time_point last_status_;
  bool asked_ = false;
};

}  // namespace

std::string fetch_history(Connection& connection, pgformat::Timeline timeline, SocketWait& wait) {
  const Result result = connection.execute(kStreaming, fmt::format("TIMELINE_HISTORY {}", timeline), wait);
  const auto name = field(result, 0, 0);
  auto text = field(result, 0, 1);
  if (name != pgformat::format_history_name(timeline) || !text) {
    throw Error(ErrorKind::kFailed,
                fmt::format("{}: the server did not send the history of timeline {}", kStreaming, timeline));
  }
  return *std::move(text);
}

void run_wal_stream(Connection& connection, const StreamOptions& options, pgformat::SegmentSize segment_size,
                    WalReceiver& receiver, const std::stop_token& stop) {
  try {
    StreamConversation(connection, options, segment_size, receiver, stop).run();
  } catch (const Error& e) {
    // Before and between streams there is nothing to flush: a stop there is a stop like any other.
    if (e.kind() != ErrorKind::kCancelled) throw;
  }
}

}  // namespace barman::postgres
