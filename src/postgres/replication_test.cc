#include "postgres/replication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "postgres/connector.h"
#include "postgres/fake_server.h"
#include "postgres/session.h"
#include "stream/memory.h"

namespace barman::postgres {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Body>
std::pair<ErrorKind, std::string> failure_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return {e.kind(), e.what()};
  }
  return {ErrorKind::kUsage, "it succeeded"};
}

// Writes down what a backup's receiver is told. A sink's text appears when it is finished.
class Record final : public BaseBackupReceiver {
 public:
  void started(const BackupPosition& start, std::span<const Tablespace> tablespaces) override {
    lines.push_back("started " + pgformat::format_lsn(start.lsn) + " on " + std::to_string(start.timeline));
    for (const Tablespace& t : tablespaces) {
      lines.push_back("tablespace '" + t.oid + "' '" + t.location + "' " +
                      std::to_string(t.size_bytes.value_or(0)));
    }
  }
  std::unique_ptr<stream::Sink> archive(const Tablespace& t) override {
    return std::make_unique<Line>(*this, "archive '" + t.oid + "': ");
  }
  std::unique_ptr<stream::Sink> manifest() override { return std::make_unique<Line>(*this, "manifest: "); }
  void ended(const BackupPosition& end) override {
    lines.push_back("ended " + pgformat::format_lsn(end.lsn));
  }
  void notice(std::string_view severity, std::string_view text) override {
    lines.push_back(std::string(severity) + ": " + std::string(text));
    if (on_notice) on_notice();
  }

  std::vector<std::string> lines;
  std::function<void()> on_notice;

 private:
  class Line final : public stream::Sink {
   public:
    Line(Record& record, std::string text) : record_(record), text_(std::move(text)) {}
    void write(stream::Bytes data) override {
      for (const std::byte b : data) text_ += b == std::byte{0} ? '0' : std::to_integer<char>(b);
    }
    void finish() override { record_.lines.push_back(text_); }

   private:
    Record& record_;
    std::string text_;
  };
};

std::string positions() {
  return say::row({"0/2000028", "1"}) + say::complete() + say::row({{}, {}, "22"}) + say::complete();
}

std::string end_position() {
  return say::row({"0/2000100", "1"}) + say::complete() + say::complete("BASE_BACKUP") + say::ready();
}

TEST(BaseBackup, Of14IsACopyForEachArchiveAndOneForTheManifest) {
  FakeServer server("14.11", {positions() + say::copy_out() + say::copy_data("TAR") + say::copy_data("tar") +
                              say::copy_done() + say::warning("waiting") + say::copy_out() +
                              say::copy_data("{}") + say::copy_done() + end_position()});
  Record record;
  LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {});
  EXPECT_THAT(record.lines,
              ElementsAre("started 0/2000028 on 1", "tablespace '' '' 22528", "WARNING: waiting",
                          "archive '': TARtar" + std::string(1024, '0'), "manifest: {}", "ended 0/2000100"));
  EXPECT_THAT(server.heard()[0], HasSubstr("QBASE_BACKUP LABEL 'x' PROGRESS"));
}

TEST(BaseBackup, Of15IsOneCopyOfTypedMessages) {
  FakeServer server("15.6",
                    {say::row({"0/2000028", "3"}) + say::complete() + say::row({"16385", "/srv/s", {}}) +
                     say::complete() + say::copy_out() + say::copy_data("n16385.tar\0/srv/s\0"s) +
                     say::copy_data("dTAR") + say::copy_data("p\0\0\0\0\0\0\0\3"s) + say::copy_data("m") +
                     say::copy_data("d{}") + say::copy_done() + end_position()});
  Record record;
  LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {});
  EXPECT_THAT(record.lines, ElementsAre("started 0/2000028 on 3", "tablespace '16385' '/srv/s' 0",
                                        "archive '16385': TAR", "manifest: {}", "ended 0/2000100"));
}

TEST(BaseBackup, WhatTheServerSaysIsPassedOnWhileItWaits) {
  for (const char* version : {"14.11", "15.6"}) {
    // Of 14 the wait comes after the archives, of 15 before the manifest in the same COPY.
    const std::string archives =
        say::copy_out() + (version == "14.11"s ? say::copy_done() : say::copy_data("nbase.tar\0\0"s));
    FakeServer server(version, {positions() + archives + say::warning("still waiting for WAL")});
    std::stop_source heard;
    std::stop_source stop;
    Record record;
    record.on_notice = [&] {
      heard.request_stop();
      stop.request_stop();
    };
    const std::jthread patience([&](const std::stop_token& over) {
      for (int i = 0; i < 1000 && !over.stop_requested() && !stop.stop_requested(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      stop.request_stop();
    });
    const auto [kind, text] = failure_of([&] {
      LibpqConnector()
          .replication(server.conninfo(), {})
          ->base_backup({.label = "x"}, record, stop.get_token());
    });
    EXPECT_EQ(kind, ErrorKind::kCancelled) << text;
    EXPECT_TRUE(heard.stop_requested()) << version;
  }
}

TEST(BaseBackup, AnErrorInTheMiddleLeavesTheArchiveUnfinished) {
  for (const char* version : {"14.11", "15.6"}) {
    const bool typed = version == "15.6"s;
    FakeServer server(version, {positions() + say::copy_out() +
                                (typed ? say::copy_data("nbase.tar\0\0"s) : "") + say::copy_data("dTAR") +
                                say::error("58030", "could not read file \"base/1\"") + say::ready()});
    Record record;
    const auto [kind, text] = failure_of([&] {
      LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {});
    });
    EXPECT_EQ(kind, ErrorKind::kFailed);
    EXPECT_EQ(text, "base backup: could not read file \"base/1\"");
    EXPECT_THAT(record.lines, ElementsAre("started 0/2000028 on 1", "tablespace '' '' 22528"));
  }
}

TEST(BaseBackup, AnErrorAfterAllDataIsStillAnError) {
  FakeServer server(
      "15.6", {positions() + say::copy_out() + say::copy_data("nbase.tar\0\0"s) + say::copy_data("dTAR") +
               say::warning("checksum verification failed in file \"./base/5/16384\", block 0") +
               say::warning("file \"./base/5/16384\" has a total of 2 checksum verification failures") +
               say::copy_done() + say::row({"0/2000100", "1"}) + say::complete() +
               say::error("XX001", "checksum verification failure during base backup") + say::ready()});
  Record record;
  const auto [kind, text] = failure_of(
      [&] { LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {}); });
  EXPECT_EQ(kind, ErrorKind::kCorrupt);
  EXPECT_THAT(text, HasSubstr("Pages with a wrong checksum are in: base/5/16384. "));
  EXPECT_NE(record.lines.back().substr(0, 5), "ended");
}

TEST(BaseBackup, AServerThatHangsUpIsATransientFailure) {
  FakeServer server("15.6", {""});
  Record record;
  const auto [kind, text] = failure_of(
      [&] { LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {}); });
  EXPECT_EQ(kind, ErrorKind::kTransient);
  EXPECT_THAT(text, HasSubstr("connection to PostgreSQL was lost"));
}

TEST(BaseBackup, DataBeforeAnArchiveOrOfAnUnknownTablespaceIsRefused) {
  for (const auto& odd : {"dTAR"s, "n1.tar\0/elsewhere\0"s, "?"s}) {
    FakeServer server("15.6", {positions() + say::copy_out() + say::copy_data(odd)});
    Record record;
    const auto [kind, text] = failure_of([&] {
      LibpqConnector().replication(server.conninfo(), {})->base_backup({.label = "x"}, record, {});
    });
    EXPECT_EQ(kind, ErrorKind::kFailed) << text;
  }
}

// The failure of an incremental backup of a server that answers the upload, and then the command.
std::pair<ErrorKind, std::string> incremental_failure(const std::string& version,
                                                      std::vector<std::string> answers) {
  FakeServer server(version, std::move(answers));
  Record record;
  stream::MemorySource manifest("{}");
  return failure_of([&] {
    LibpqConnector()
        .replication(server.conninfo(), {})
        ->base_backup({.label = "x", .parent_manifest = &manifest}, record, {});
  });
}

std::string manifest_taken() { return say::complete("UPLOAD_MANIFEST") + say::ready(); }

TEST(IncrementalBackup, SendsTheManifestOfItsParentFirst) {
  FakeServer server("17.2", {say::copy_in(), manifest_taken(),
                             positions() + say::copy_out() + say::copy_data("nbase.tar\0\0"s) +
                                 say::copy_data("dTAR") + say::copy_done() + end_position()});
  Record record;
  const std::string text(100'000, '{');
  stream::MemorySource manifest(text, 40'000);
  LibpqConnector()
      .replication(server.conninfo(), {})
      ->base_backup({.label = "x", .parent_manifest = &manifest}, record, {});
  EXPECT_EQ(record.lines.back(), "ended 0/2000100");
  const auto& heard = server.heard();
  ASSERT_GE(heard.size(), 4U);
  EXPECT_EQ(heard[0], "QUPLOAD_MANIFEST\0"s);
  std::string sent;
  std::size_t next = 1;
  for (; next < heard.size() && heard[next][0] == 'd'; ++next) sent += heard[next].substr(1);
  EXPECT_EQ(sent, text);
  EXPECT_EQ(heard[next], "c");
  EXPECT_THAT(heard[next + 1], HasSubstr("INCREMENTAL"));
}

TEST(IncrementalBackup, NeedsAServerThatKnowsIt) {
  const auto [kind, text] = incremental_failure("16.4", {say::copy_in()});
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_EQ(text, "PostgreSQL 16.4 cannot take incremental backups: they need 17");
}

TEST(IncrementalBackup, AManifestThatTheServerRefusesIsAFailure) {
  const auto [kind, text] = incremental_failure(
      "17.2", {say::copy_in(), say::error("22023", "backup manifest checksum mismatch") + say::ready()});
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_EQ(text, "sending the parent's manifest: backup manifest checksum mismatch");
}

TEST(IncrementalBackup, AServerThatDoesNotWantTheManifestIsAFailure) {
  const auto [kind, text] = incremental_failure("17.2", {manifest_taken()});
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_THAT(text, HasSubstr("did not ask for it"));
}

TEST(IncrementalBackup, AServerThatVanishesDuringTheUploadIsATransientFailure) {
  EXPECT_EQ(incremental_failure("17.2", {say::copy_in(), ""}).first, ErrorKind::kTransient);
}

TEST(IncrementalBackup, SaysWhatToDoWhenSummariesAreMissing) {
  const auto failure = [](std::string_view sqlstate, std::string_view text) {
    return incremental_failure("17.2",
                               {say::copy_in(), manifest_taken(), say::error(sqlstate, text) + say::ready()})
        .second;
  };
  EXPECT_THAT(
      failure("55000",
              "WAL summaries are required on timeline 1 from 0/2000028 to 0/5000028, but no summaries for "
              "that timeline and LSN range exist"),
      HasSubstr("no summaries for that timeline and LSN range exist. The server has removed these summaries "
                "already, or summarize_wal was off for a while: take a full backup"));
  EXPECT_THAT(failure("55000", "WAL summarization is not progressing"),
              HasSubstr("pg_get_wal_summarizer_state()"));
  EXPECT_THAT(failure("55000", "etwas anderes"),
              HasSubstr("etwas anderes. If this stays, take a full backup"));
  EXPECT_EQ(failure("58030", "could not read"), "base backup: could not read");
}

TEST(BaseBackup, AStopEndsTheWaitForASilentServer) {
  FakeServer server("15.6", {positions() + say::copy_out()});
  Record record;
  std::stop_source stop;
  const auto replication = LibpqConnector().replication(server.conninfo(), {});
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(50));
    stop.request_stop();
  });
  EXPECT_EQ(failure_of([&] { replication->base_backup({.label = "x"}, record, stop.get_token()); }).first,
            ErrorKind::kCancelled);
}

// Takes WAL, and requests a stop when it has `enough` bytes.
class Taker final : public WalReceiver {
 public:
  explicit Taker(std::size_t enough) : enough_(enough) {}
  void write(pgformat::Lsn at, stream::Bytes data) override {
    text += pgformat::format_lsn(at) + "=" + std::string(stream::text_of(data)) + " ";
    end_ = {at.value + data.size()};
    taken_ += data.size();
    if (taken_ >= enough_) stop.request_stop();
  }
  pgformat::Lsn flush() override { return end_; }
  void history(pgformat::Timeline timeline, std::string_view name, std::string_view content) override {
    text +=
        "history " + std::to_string(timeline) + " " + std::string(name) + " " + std::string(content) + " ";
  }
  void timeline_ended(pgformat::Timeline ended, pgformat::Lsn end, pgformat::Timeline next) override {
    text += std::to_string(ended) + " ended at " + pgformat::format_lsn(end) + ", next " +
            std::to_string(next) + " ";
  }

  std::string text;
  std::stop_source stop;

 private:
  std::size_t enough_;
  std::size_t taken_ = 0;
  pgformat::Lsn end_;
};

std::string wal(std::uint64_t at, std::string_view bytes) {
  return say::copy_data("w" + say::number(at, 8) + say::number(0, 8) + say::number(0, 8) +
                        std::string(bytes));
}

std::string segment_size() { return say::row({"16MB"}) + say::complete() + say::ready(); }

TEST(WalStream, GoesOnWhereItsTimelineEndsWithTheHistoryFirst) {
  FakeServer server("14.1", {segment_size(), say::copy_both() + wal(0x3000000, "abc") + say::copy_done(),
                             say::row({"2", "0/3000003"}) + say::complete() +
                                 say::complete("START_STREAMING") + say::ready(),
                             say::row({"00000002.history", "1\t0/3000003"}) + say::complete() + say::ready(),
                             say::copy_both() + wal(0x3000000, "abcdef"), say::copy_done()});
  Taker taker(9);
  const auto replication = LibpqConnector().replication(server.conninfo(), {});
  replication->stream_wal({.start = {0x3000000}, .timeline = 1, .slot = "s"}, taker, taker.stop.get_token());
  EXPECT_EQ(
      taker.text,
      "0/3000000=abc 1 ended at 0/3000003, next 2 history 2 00000002.history 1\t0/3000003 0/3000000=abcdef ");
  const auto& heard = server.heard();
  EXPECT_EQ(heard[1], "QSTART_REPLICATION SLOT \"s\" PHYSICAL 0/3000000 TIMELINE 1\0"s);
}

TEST(WalStream, AHoleInTheStreamIsAnError) {
  FakeServer server("14.1", {segment_size(), say::copy_both() + wal(0x3000000, "abc") + wal(0x3000004, "x")});
  Taker taker(100);
  const auto [kind, text] = failure_of([&] {
    LibpqConnector().replication(server.conninfo(), {})->stream_wal({.start = {0x3000000}}, taker, {});
  });
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_THAT(text, HasSubstr("WAL from 0/3000004 when 0/3000003 comes next"));
}

TEST(WalStream, AServerThatFallsSilentCountsAsLost) {
  FakeServer server("14.1", {segment_size(), say::copy_both() + wal(0x3000000, "abc")});
  Taker taker(100);
  const auto [kind, text] = failure_of([&] {
    LibpqConnector()
        .replication(server.conninfo(), {})
        ->stream_wal({.start = {0x3000000}, .status_interval = milliseconds(20)}, taker, {});
  });
  EXPECT_EQ(kind, ErrorKind::kTransient);
  EXPECT_THAT(text, HasSubstr("has not answered"));
}

TEST(WalStream, ARemovedSegmentIsNotTriedAgain) {
  FakeServer server("14.1", {segment_size(), say::error("58P01",
                                                        "requested WAL segment 000000010000000000000003 has "
                                                        "already been removed") +
                                                 say::ready()});
  Taker taker(100);
  const auto [kind, text] = failure_of([&] {
    LibpqConnector().replication(server.conninfo(), {})->stream_wal({.start = {0x3000000}}, taker, {});
  });
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_THAT(text, HasSubstr("already been removed"));
}

TEST(Replication, AServerBefore13IsTooOld) {
  FakeServer server("12.18", {});
  const auto [kind, text] = failure_of([&] { LibpqConnector().replication(server.conninfo(), {}); });
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_EQ(text, "PostgreSQL 12.18 is too old: this program works with 13 and later");
}

TEST(Session, AStatementThatTakesTooLongEndsWithItsLimit) {
  FakeServer server("15.6", {});
  const auto session = LibpqConnector().session(server.conninfo(), {.timeout = milliseconds(50)});
  EXPECT_EQ(session->server_version(), 150006);
  EXPECT_EQ(session->server_version_text(), "15.6");
  const auto [kind, text] = failure_of([&] { session->query("SELECT 1", {}); });
  EXPECT_EQ(kind, ErrorKind::kTransient);
  EXPECT_THAT(text, HasSubstr("did not answer within"));
}

TEST(Session, NobodyListeningIsATransientFailureThatSaysWhatToCheck) {
  const auto [kind, text] =
      failure_of([] { LibpqConnector().session("host=/nonexistent user=barman password=sesame", {}); });
  EXPECT_EQ(kind, ErrorKind::kTransient);
  EXPECT_THAT(text, HasSubstr("Check that the server is running"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("sesame")));
}

}  // namespace
}  // namespace barman::postgres
