#include "engine/receive/receive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "base/clock.h"
#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/wal/scratch_home.h"
#include "os/lock_file.h"
#include "postgres/connector.h"
#include "postgres/replication.h"
#include "postgres/server_error.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr pgformat::SegmentSize kSize = 1024 * 1024;
const std::string kName5 = "000000010000000000000005";

// The server behind every connection of a test.
struct Server {
  postgres::SystemIdentity identity{.system_identifier = "7", .timeline = 1, .flushed = {5 * kSize + 100}};
  std::optional<postgres::SlotInfo> slot{};
  // What each stream does, one after the other.
  std::deque<std::function<void(postgres::WalReceiver&)>> streams{};
  std::function<void()> connecting = [] {};
  std::vector<postgres::StreamOptions> started{};
};

class FakeReplication final : public postgres::Replication {
 public:
  explicit FakeReplication(Server& server) : server_(server) {}

  [[nodiscard]] int server_version() const override { return 150000; }
  postgres::SystemIdentity identify_system() override { return server_.identity; }
  pgformat::SegmentSize wal_segment_size() override { return kSize; }
  std::string timeline_history(pgformat::Timeline) override { return "1\t0/480000\tpromoted\n"; }
  void base_backup(const postgres::BaseBackupOptions&, postgres::BaseBackupReceiver&,
                   const std::stop_token&) override {}
  void stream_wal(const postgres::StreamOptions& options, postgres::WalReceiver& receiver,
                  const std::stop_token&) override {
    server_.started.push_back(options);
    if (server_.streams.empty()) return;  // stopped
    const auto stream = server_.streams.front();
    server_.streams.pop_front();
    stream(receiver);
  }
  void create_slot(const std::string&, bool) override {
    if (server_.slot) throw postgres::ServerError(ErrorKind::kRefused, "exists", "42710");
    server_.slot.emplace();
  }
  void drop_slot(const std::string&) override {
    if (!server_.slot) throw postgres::ServerError(ErrorKind::kFailed, "no such slot", "42704");
    server_.slot.reset();
  }
  std::optional<postgres::SlotInfo> read_slot(const std::string&) override { return server_.slot; }

 private:
  Server& server_;
};

class FakeConnector final : public postgres::Connector {
 public:
  explicit FakeConnector(Server& server) : server_(server) {}
  std::unique_ptr<postgres::Session> session(const std::string&, const postgres::ConnectOptions&) override {
    throw Error(ErrorKind::kFailed, "no SQL here");
  }
  std::unique_ptr<postgres::Replication> replication(const std::string&,
                                                     const postgres::ConnectOptions&) override {
    server_.connecting();
    return std::make_unique<FakeReplication>(server_);
  }

 private:
  Server& server_;
};

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override {
    now_ += pause;
    return !stop.stop_requested();
  }

 private:
  Time now_{};
};

class Receiving : public ::testing::Test {
 protected:
  void run() { receive_wal(scratch.home, settings, connector, clock, events, stop.get_token()); }
  std::string failure() {
    try {
      run();
    } catch (const Error& e) {
      return e.what();
    }
    return "it succeeded";
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.home.streaming)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  static void send(postgres::WalReceiver& receiver, std::uint64_t at, std::string_view text) {
    receiver.write({at}, stream::bytes_of(text));
    receiver.flush();
  }
  static Error lost() { return {ErrorKind::kTransient, "the connection to PostgreSQL was lost"}; }

  ScratchHome scratch;
  ReceiveSettings settings{
      .streaming_conninfo = "s", .regular_conninfo = "r", .application_name = "barman_receive_wal"};
  Server server;
  FakeConnector connector{server};
  FakeClock clock;
  RecordedEvents events;
  std::stop_source stop;
};

TEST_F(Receiving, StartsWhereTheServerIsAndSaysSo) {
  run();
  ASSERT_EQ(server.started.size(), 1U);
  EXPECT_EQ(server.started[0].start, pgformat::Lsn{5 * kSize});
  EXPECT_THAT(events.infos, ElementsAre("main: starting log streaming at 0/500000 (timeline 1)"));
}

TEST_F(Receiving, AConnectionThatBreaksIsMadeAgainWithoutAGap) {
  server.streams = {[](postgres::WalReceiver& receiver) {
                      send(receiver, 5 * kSize, std::string(kSize, 'x') + "abc");
                      throw lost();
                    },
                    [](postgres::WalReceiver& receiver) { send(receiver, 6 * kSize, "abcdef"); }};
  server.identity.flushed = {9 * kSize};
  ScratchHome::write(scratch.home.streaming / (kName5 + ".partial"), "");
  run();
  ASSERT_EQ(server.started.size(), 2U);
  EXPECT_EQ(server.started[1].start, pgformat::Lsn{6 * kSize});
  EXPECT_THAT(files(), ElementsAre(kName5, "000000010000000000000006.partial"));
  EXPECT_THAT(events.warnings,
              ElementsAre("main: the connection to PostgreSQL was lost. Connecting again in 1 s"));
}

TEST_F(Receiving, AServerThatStaysAwayEndsTheReceiverAfterAWhile) {
  server.streams = {[](postgres::WalReceiver& receiver) {
    send(receiver, 5 * kSize, "abc");
    throw lost();
  }};
  server.connecting = [this] {
    if (!server.started.empty()) throw Error(ErrorKind::kTransient, "connection refused");
  };
  const Time begun = clock.now();
  EXPECT_EQ(failure(), "connection refused");
  EXPECT_GE(clock.now() - begun, std::chrono::minutes(10));
  EXPECT_LE(clock.now() - begun, std::chrono::minutes(11));
}

TEST_F(Receiving, AServerThatWasNeverReachedIsAnErrorAtOnce) {
  server.connecting = [] { throw Error(ErrorKind::kTransient, "connection refused"); };
  EXPECT_EQ(failure(), "connection refused");
  EXPECT_THAT(events.warnings, IsEmpty());
}

TEST_F(Receiving, AStopWhileConnectingIsNoFailure) {
  server.connecting = [] { throw Error(ErrorKind::kCancelled, "stopped"); };
  EXPECT_EQ(failure(), "it succeeded");
}

TEST_F(Receiving, WalThatTheServerRemovedIsAGapThatIsNamed) {
  ScratchHome::write(scratch.home.streaming / "000000010000000000000003", std::string(kSize, 'x'));
  server.streams = {[](postgres::WalReceiver&) {
    throw postgres::ServerError(ErrorKind::kFailed, "requested WAL segment has already been removed",
                                "58P01");
  }};
  const std::string text = failure();
  EXPECT_THAT(text, HasSubstr("segment 000000010000000000000004 comes next"));
  EXPECT_THAT(text, HasSubstr("which writes " + kName5 + " now"));
  EXPECT_THAT(text, HasSubstr("barman receive-wal --reset main"));
}

TEST_F(Receiving, AnotherClusterIsRefusedByIdentityAndByTheWalThatIsHere) {
  ScratchHome::write(scratch.home.identity, R"({"systemid": "8", "version": "15"})");
  EXPECT_THAT(failure(), HasSubstr("backups here are of the cluster 8"));
  std::filesystem::remove(scratch.home.identity);

  std::string header(40, '\0');
  header[0] = '\x10', header[1] = '\xD1', header[2] = '\x02', header[4] = '\x01';
  header[24] = '\x09';
  header[34] = '\x10', header[37] = '\x20';
  ScratchHome::write(scratch.home.streaming / (kName5 + ".partial"), header);
  EXPECT_THAT(failure(), HasSubstr("is of the PostgreSQL cluster 9"));
}

TEST_F(Receiving, AMissingSlotIsCreatedOnlyIfThatIsWanted) {
  settings.slot = "barman";
  EXPECT_THAT(failure(), HasSubstr("Please execute 'barman receive-wal --create-slot main'"));
  settings.create_slot = true;
  run();
  EXPECT_TRUE(server.slot);
  EXPECT_EQ(server.started.back().slot, "barman");
  EXPECT_THAT(events.infos, ElementsAre("Creating replication slot 'barman'",
                                        "Creating physical replication slot 'barman' on server 'main'",
                                        "Replication slot 'barman' created",
                                        "main: starting log streaming at 0/500000 (timeline 1)"));
}

TEST_F(Receiving, ASlotThatIsStillInUseIsWaitedForAShortTime) {
  settings.slot = "barman";
  server.slot.emplace();
  const auto in_use = [](postgres::WalReceiver&) {
    throw postgres::ServerError(ErrorKind::kTransient, "is active for PID 7", "55006");
  };
  server.streams = {in_use};
  run();
  EXPECT_EQ(server.started.size(), 2U);
  server.streams = {in_use, in_use, in_use, in_use, in_use, in_use};
  EXPECT_EQ(failure(), "is active for PID 7");
}

TEST_F(Receiving, OneReceiverAtATime) {
  const auto lock = os::LockFile::try_acquire(scratch.home.receive_lock());
  EXPECT_EQ(failure(), "Another receive-wal process is already running for server main.");
}

TEST_F(Receiving, SlotsAreCreatedAndDroppedWithTheirExceptions) {
  settings.slot = "barman";
  const auto create = [&](bool or_keep) {
    create_slot(scratch.home, settings, or_keep, connector, events, {});
  };
  const auto drop = [&](bool if_exists) {
    drop_slot(scratch.home, settings, if_exists, connector, events, {});
  };
  create(false);
  EXPECT_THROW(create(false), Error);
  create(true);
  drop(false);
  EXPECT_THROW(drop(false), Error);
  drop(true);
  EXPECT_THAT(events.infos, Contains("Replication slot 'barman' already exists"));
  EXPECT_THAT(events.infos, Contains("Replication slot 'barman' dropped"));
  EXPECT_THAT(events.infos, Contains("Replication slot 'barman' does not exist"));
  settings.slot.reset();
  EXPECT_THROW(create(false), Error);
}

TEST_F(Receiving, AResetMakesTheNextReceiverStartAtTheServerAndKeepsWhatIsHere) {
  ScratchHome::write(scratch.home.streaming / "000000010000000000000002.partial", "WAL");
  EXPECT_EQ(reset_receiving(scratch.home, settings, connector, events, {}), ResetOutcome::kReset);
  EXPECT_THAT(files(), ElementsAre("000000010000000000000002.partial", kName5 + ".partial"));
  EXPECT_THAT(events.infos, ElementsAre("Resetting receive-wal directory status",
                                        "Creating status file " +
                                            (scratch.home.streaming / (kName5 + ".partial")).string()));
  EXPECT_EQ(reset_receiving(scratch.home, settings, connector, events, {}), ResetOutcome::kAligned);
  run();
  EXPECT_EQ(server.started.back().start, pgformat::Lsn{5 * kSize});
}

TEST_F(Receiving, AResetGoesToTheSlotAndNeverBackwards) {
  settings.slot = "barman";
  server.slot = postgres::SlotInfo{.restart_lsn = pgformat::Lsn{4 * kSize + 40}};
  ScratchHome::write(scratch.home.streaming / (kName5 + ".partial"), "");
  EXPECT_THROW(reset_receiving(scratch.home, settings, connector, events, {}), Error);
  std::filesystem::remove(scratch.home.streaming / (kName5 + ".partial"));
  EXPECT_EQ(reset_receiving(scratch.home, settings, connector, events, {}), ResetOutcome::kAligned);
  ScratchHome::write(scratch.home.wals / "0000000100000000" / "000000010000000000000001", "");
  EXPECT_EQ(reset_receiving(scratch.home, settings, connector, events, {}), ResetOutcome::kReset);
  EXPECT_THAT(files(), ElementsAre("000000010000000000000004.partial"));
}

TEST_F(Receiving, ThereMayBeNobodyToStop) { EXPECT_FALSE(stop_receiver(scratch.home, clock)); }

}  // namespace
}  // namespace barman::engine
