#include "engine/receive/receive.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/error.h"
#include "config/settings.h"
#include "engine/receive/segment_writer.h"
#include "engine/receive/source_server.h"
#include "engine/receive/streaming_folder.h"
#include "engine/server/wal_connections.h"
#include "os/durable_file.h"
#include "os/lock_file.h"
#include "postgres/server_error.h"

namespace barman::engine {

namespace {

using std::chrono::seconds;

constexpr seconds kFirstReconnectPause{1};
constexpr seconds kLongestPause{30};
// Longer outages are for cron, which starts a receiver with the settings of that time.
constexpr std::chrono::minutes kGiveUpAfter{10};
// A server may need a moment to notice that the last receiver is gone.
constexpr seconds kSlotPatience{3};

void create_slot_on(const SourceServer& server, const std::string& slot, const std::string& server_name,
                    bool or_keep, Events& events) {
  events.info(fmt::format("Creating physical replication slot '{}' on server '{}'", slot, server_name));
  try {
    // Without RESERVE_WAL: a slot that nobody streams from yet holds nothing back.
    server.replication->create_slot(slot, false);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kRefused) throw;
    const std::string text = fmt::format("Replication slot '{}' already exists", slot);
    if (!or_keep) throw Error(ErrorKind::kRefused, text);
    events.info(text);
    return;
  }
  events.info(fmt::format("Replication slot '{}' created", slot));
}

class Receiver {
 public:
  Receiver(const Home& home, const ReceiveSettings& settings, postgres::Connector& connector, Clock& clock,
           Events& events, const std::stop_token& stop)
      : home_(home),
        settings_(settings),
        connector_(connector),
        clock_(clock),
        events_(events),
        stop_(stop) {}

  void run() {
    const Time begun = clock_.now();
    Time well = begun;
    seconds pause = kFirstReconnectPause;
    while (!stop_.stop_requested()) {
      received_ = false;
      try {
        stream();
        return;
      } catch (const Error& e) {
        if (e.kind() == ErrorKind::kCancelled) return;
        if (received_) {
          well = clock_.now();
          pause = kFirstReconnectPause;
        }
        ever_received_ = ever_received_ || received_;
        if (!worth_another_try(e, begun, well)) throw;
        events_.warning(
            fmt::format("{}: {}. Connecting again in {} s", home_.server, e.what(), pause.count()));
      }
      clock_.sleep(pause, stop_);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

 private:
  [[nodiscard]] bool worth_another_try(const Error& error, Time begun, Time well) const {
    if (error.kind() != ErrorKind::kTransient) return false;
    if (ever_received_) return clock_.now() - well < kGiveUpAfter;
    const auto* said = dynamic_cast<const postgres::ServerError*>(&error);
    return said != nullptr && said->sqlstate() == postgres::sqlstate::kObjectInUse &&
           clock_.now() - begun < kSlotPatience;
  }

  // Returns when a stop was requested.
  void stream() {
    const SourceServer server = connect_source(home_, settings_, connector_, stop_);
    const StartPoint start = choose_start(server);
    if (start.remark) events_.warning(fmt::format("{}: {}", home_.server, *start.remark));
    events_.info(fmt::format("{}: starting log streaming at {} (timeline {})", home_.server,
                             pgformat::format_lsn(start.lsn), start.timeline));
    SegmentWriter writer(home_, server.segment_size, start.timeline, events_);
    try {
      server.replication->stream_wal({.start = start.lsn, .timeline = start.timeline, .slot = settings_.slot},
                                     writer, stop_);
    } catch (const postgres::ServerError& e) {
      received_ = writer.received();
      if (e.sqlstate() == postgres::sqlstate::kUndefinedFile) throw_gap(server, start);
      throw;
    } catch (const Error&) {
      received_ = writer.received();
      throw;
    }
  }

  StartPoint choose_start(const SourceServer& server) {
    const auto received = received_segments(home_, server.segment_size, events_);
    require_same_cluster(home_, received, server.system_identifier);
    KnownWal known{.received = received};
    // An archive in a bucket is only asked when it matters: receiving goes on without it.
    if (received.empty()) known.archived = newest_archived(home_);
    if (settings_.slot) known.slot_restart = slot_restart(server);
    return start_point(known, server.timeline, server.segment_size);
  }

  std::optional<pgformat::Lsn> slot_restart(const SourceServer& server) {
    if (const auto slot = find_slot(server, settings_, connector_, stop_)) return slot->restart_lsn;
    if (!settings_.create_slot) {
      throw Error(
          ErrorKind::kFailed,
          fmt::format(
              "replication slot '{}' doesn't exist. Please execute 'barman receive-wal --create-slot {}'",
              *settings_.slot, home_.server));
    }
    events_.info(fmt::format("Creating replication slot '{}'", *settings_.slot));
    create_slot_on(server, *settings_.slot, home_.server, true, events_);
    return std::nullopt;
  }

  [[noreturn]] void throw_gap(const SourceServer& server, const StartPoint& start) const {
    const auto name = [&](pgformat::Lsn lsn, pgformat::Timeline timeline) {
      return pgformat::format_segment(pgformat::segment_of(lsn, timeline, server.segment_size));
    };
    throw Error(
        ErrorKind::kFailed,
        fmt::format(
            "WAL is missing: segment {} comes next, and the server, which writes {} now, has removed it "
            "already. To go on with a gap, run 'barman receive-wal --reset {}' and take a new backup: "
            "older ones can only be recovered up to the gap. {}",
            name(start.lsn, start.timeline), name(server.timeline.flushed, server.timeline.timeline),
            home_.server,
            settings_.slot ? "Check that nothing dropped the replication slot or moved it ahead"
                           : "A replication slot (slot_name) makes the server keep WAL until it is here"));
  }

  const Home& home_;
  const ReceiveSettings& settings_;
  postgres::Connector& connector_;
  Clock& clock_;
  Events& events_;
  std::stop_token stop_;
  bool received_ = false;
  bool ever_received_ = false;
};

os::LockFile take_lock(const Home& home) {
  if (auto lock = os::LockFile::try_acquire(home.receive_lock())) return *std::move(lock);
  throw Error(ErrorKind::kBusy,
              fmt::format("Another receive-wal process is already running for server {}.", home.server));
}

}  // namespace

ReceiveSettings receive_settings(const config::Server& server) {
  WalConnections connections = wal_connections(server);
  return {.streaming_conninfo = std::move(connections.streaming),
          .regular_conninfo = std::move(connections.regular),
          .application_name = server.values.text("streaming_archiver_name"),
          .slot = server.values.optional_text("slot_name"),
          .create_slot = server.values.text("create_slot") == "auto"};
}

void receive_wal(const Home& home, const ReceiveSettings& settings, postgres::Connector& connector,
                 Clock& clock, Events& events, const std::stop_token& stop) {
  const os::LockFile lock = take_lock(home);
  os::make_directories(home.streaming);
  Receiver(home, settings, connector, clock, events, stop).run();
}

ResetOutcome reset_receiving(const Home& home, const ReceiveSettings& settings,
                             postgres::Connector& connector, Events& events, const std::stop_token& stop) {
  const os::LockFile lock = take_lock(home);
  const SourceServer server = connect_source(home, settings, connector, stop);
  const auto slot = settings.slot ? find_slot(server, settings, connector, stop) : std::nullopt;
  const pgformat::Lsn position = slot && slot->restart_lsn ? *slot->restart_lsn : server.timeline.flushed;
  const pgformat::Segment wanted =
      pgformat::segment_of(position, timeline_at(position, server.timeline), server.segment_size);

  const auto received = received_segments(home, server.segment_size, events);
  const auto archived = received.empty() ? newest_archived(home) : std::nullopt;
  const bool nothing_between =
      received.empty() ? !archived || wanted <= pgformat::next_segment(*archived, server.segment_size)
                       : received.back().segment == wanted;
  if (nothing_between) return ResetOutcome::kAligned;
  if (!received.empty() && wanted < received.back().segment) {
    throw Error(
        ErrorKind::kFailed,
        fmt::format(
            "the WAL received so far ({}) is ahead of the server ({}). Check that the connection string "
            "leads to the right server; if it does, move the newer files out of {}",
            pgformat::format_segment(received.back().segment), pgformat::format_segment(wanted),
            home.streaming.string()));
  }
  events.info("Resetting receive-wal directory status");
  // A partial file that is left behind may hold the only copy of its WAL: archive-wal stores it as what it
  // is.
  os::make_directories(home.streaming);
  const std::filesystem::path path = path_of(home, {.segment = wanted});
  events.info(fmt::format("Creating status file {}", path.string()));
  const PartialSegment created(home.streaming, wanted, server.segment_size);
  return ResetOutcome::kReset;
}

std::optional<StoppedReceiver> stop_receiver(const Home& home, Clock& clock) {
  constexpr int kProbes = 100;
  constexpr std::chrono::milliseconds kPause{100};
  const auto owner = os::lock_owner(home.receive_lock());
  if (!owner || *owner <= 0) return std::nullopt;
  if (::kill(*owner, SIGINT) != 0) return StoppedReceiver{.pid = *owner, .gone = errno == ESRCH};
  for (int probe = 0; probe < kProbes; ++probe) {
    if (os::lock_owner(home.receive_lock()) != owner) return StoppedReceiver{.pid = *owner, .gone = true};
    clock.sleep(kPause, {});
  }
  return StoppedReceiver{.pid = *owner, .gone = false};
}

void create_slot(const Home& home, const ReceiveSettings& settings, bool or_keep,
                 postgres::Connector& connector, Events& events, const std::stop_token& stop) {
  const std::string& slot = required_slot(home, settings);
  create_slot_on(connect_source(home, settings, connector, stop), slot, home.server, or_keep, events);
}

void drop_slot(const Home& home, const ReceiveSettings& settings, bool if_exists,
               postgres::Connector& connector, Events& events, const std::stop_token& stop) {
  const std::string& slot = required_slot(home, settings);
  events.info(fmt::format("Dropping physical replication slot '{}' on server '{}'", slot, home.server));
  const SourceServer server = connect_source(home, settings, connector, stop);
  try {
    server.replication->drop_slot(slot);
  } catch (const postgres::ServerError& e) {
    if (e.sqlstate() == postgres::sqlstate::kObjectInUse) {
      throw Error(ErrorKind::kBusy,
                  fmt::format("Cannot drop replication slot '{}': it is in use. Stop its receiver "
                              "first: barman receive-wal --stop {}",
                              slot, home.server));
    }
    if (e.sqlstate() != postgres::sqlstate::kUndefinedObject) throw;
    const std::string text = fmt::format("Replication slot '{}' does not exist", slot);
    if (!if_exists) throw Error(ErrorKind::kFailed, text);
    events.info(text);
    return;
  }
  events.info(fmt::format("Replication slot '{}' dropped", slot));
}

}  // namespace barman::engine
