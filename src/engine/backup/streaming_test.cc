#include "engine/backup/streaming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "base/clock.h"
#include "engine/backup/plain_files.h"
#include "engine/backup/scripted_backup.h"
#include "engine/recorded_events.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "os/tree.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Time that passes when somebody waits.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  bool sleep(std::chrono::milliseconds pause, const std::stop_token& stop) override {
    now_ += pause;
    slept += pause;
    return !stop.stop_requested();
  }
  std::chrono::milliseconds slept{0};

 private:
  Time now_{std::chrono::hours(500'000)};
};

ScriptedBackup sample() {
  ScriptedBackup backup;
  backup.archives.push_back(
      {.tablespace = {.oid = "16384", .location = "/srv/ts1", .size_bytes = 4096}, .tar = {}});
  backup.archives.back().tar += tar_header("PG_17_1", '5', 0);
  backup.add("PG_17_1/77", std::string(30'000, 't'));
  backup.archives.push_back({.tablespace = {.oid = "", .location = "", .size_bytes = 100'000}, .tar = {}});
  backup.add("backup_label", "label\n");
  backup.archives.back().tar += tar_header("base", '5', 0) + tar_header("./pg_wal/", '5', 0) +
                                tar_header("./pg_wal/archive_status", '5', 0) +
                                tar_header("pg_tblspc", '5', 0) +
                                tar_header("pg_tblspc/16384", '2', 0, "/srv/ts1");
  backup.add("base/1", std::string(100'000, 'x'));
  backup.add("base/empty", "");
  backup.add("global_pg_control", std::string(8192, 'c'));
  return backup;
}

class Streaming : public testing::Test {
 protected:
  StreamingOutcome take() {
    PlainFiles files(place, events);
    return copy_by_streaming(copy, files, connector, clock, events, stop.get_token());
  }

  std::string failure() {
    try {
      take();
    } catch (const Error& e) {
      kind = e.kind();
      return e.what();
    }
    return "no failure";
  }

  [[nodiscard]] std::string text(const fs::path& below) const {
    return os::read_file(place / below).value_or("(none)");
  }

  // What lies beside the backup's folder: nothing may.
  [[nodiscard]] std::vector<std::string> outside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path())) names.push_back(entry.path().filename());
    return names;
  }

  os::TestFolder folder;
  fs::path place = folder.path() / "id";
  fs::path data = place / "data";
  StreamingCopy copy{
      .conninfo = "host=x", .application_name = "barman_streaming_backup", .label = "Barman backup main X"};
  ScriptedBackup backup = sample();
  ScriptedConnector connector{backup};
  TestClock clock;
  RecordedEvents events;
  std::stop_source stop;
  ErrorKind kind{};
};

TEST_F(Streaming, WritesTheFilesWhereTheyBelong) {
  const StreamingOutcome outcome = take();
  EXPECT_EQ(text("data/base/1"), std::string(100'000, 'x'));
  EXPECT_EQ(text("data/base/empty"), "");
  EXPECT_EQ(text("data/backup_label"), "label\n");
  EXPECT_EQ(text("data/backup_manifest"), backup.manifest());
  EXPECT_EQ(text("16384/PG_17_1/77"), std::string(30'000, 't'));
  EXPECT_EQ(fs::read_symlink(data / "pg_tblspc/16384"), place / "16384");
  EXPECT_TRUE(fs::is_directory(data / "pg_wal/archive_status"));
  EXPECT_EQ(outcome.start.lsn, backup.start.lsn);
  EXPECT_EQ(outcome.end.lsn, backup.end.lsn);
  EXPECT_EQ(outcome.files, 5U);
  EXPECT_EQ(outcome.bytes, 100'000U + 30'000 + 6 + 8192);
  ASSERT_EQ(outcome.tablespaces.size(), 1U);
  EXPECT_EQ(outcome.tablespaces[0].oid, 16384U);
  EXPECT_EQ(outcome.tablespaces[0].location, "/srv/ts1");
}

TEST_F(Streaming, OfAnIncrementalBackupSendsTheParentsManifestWithEachAttempt) {
  copy.parent_manifest = folder / "parents-manifest";
  os::write_file(*copy.parent_manifest, "manifest of the parent");
  copy.retries = 1;
  connector.fail_at = 3;
  take();
  EXPECT_THAT(connector.parents, ElementsAre("manifest of the parent", "manifest of the parent"));
}

TEST_F(Streaming, OfAnIncrementalBackupNeedsNoRoomForAllThatTheServerHas) {
  backup.archives[0].tablespace.size_bytes = std::uint64_t{1} << 60;
  EXPECT_THAT(failure(), HasSubstr("make room"));
  copy.parent_manifest = folder / "parents-manifest";
  os::write_file(*copy.parent_manifest, "manifest of the parent");
  EXPECT_NO_THROW(take());
}

TEST_F(Streaming, OfAnIncrementalBackupNeedsTheParentsManifest) {
  copy.parent_manifest = folder / "nowhere";
  EXPECT_THAT(failure(), HasSubstr("nowhere"));
}

TEST_F(Streaming, NobodyElseCanReadIt) {
  take();
  for (const char* path : {"data", "16384", "data/base/1"}) {
    struct stat status {};
    ASSERT_EQ(::stat((place / path).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0077U, 0U) << path;
  }
}

TEST_F(Streaming, ArrivingByteByByteMakesNoDifference) {
  backup.chunk = 1;
  take();
  EXPECT_EQ(text("data/base/1"), std::string(100'000, 'x'));
}

TEST_F(Streaming, WhatWasLeftByAnEarlierAttemptIsGone) {
  fs::create_directories(data);
  os::write_file(data / "old", "x");
  take();
  EXPECT_EQ(text("data/old"), "(none)");
}

TEST_F(Streaming, AFlippedBitIsNoticedAndTheFileNamed) {
  const std::size_t at = backup.archives[1].tar.find("xxxx");
  backup.archives[1].tar[at + 5] = 'y';
  EXPECT_THAT(failure(), HasSubstr("base/1 arrived with checksum"));
  EXPECT_EQ(kind, ErrorKind::kCorrupt);
}

TEST_F(Streaming, AFlippedBitInATablespaceIsNoticed) {
  const std::size_t at = backup.archives[0].tar.find("tttt");
  backup.archives[0].tar[at + 5] = 'y';
  EXPECT_THAT(failure(), HasSubstr("pg_tblspc/16384/PG_17_1/77"));
}

TEST_F(Streaming, AnotherSizeIsNoticed) {
  backup.list("base/2", "longer");
  backup.archives[1].tar += tar_file("base/2", "short");
  EXPECT_THAT(failure(), HasSubstr("base/2 arrived with 5 bytes, the manifest says 6"));
}

TEST_F(Streaming, AMissingFileIsNamed) {
  backup.list("base/2", "x");
  EXPECT_THAT(failure(), HasSubstr("base/2 is in the manifest but did not arrive"));
}

TEST_F(Streaming, AnExtraFileIsNamed) {
  backup.archives[1].tar += tar_file("base/extra", "x");
  EXPECT_THAT(failure(), HasSubstr("base/extra arrived but is not in the manifest"));
  backup = sample();
  backup.archives[0].tar += tar_file("PG_17_1/extra", "x");
  EXPECT_THAT(failure(), HasSubstr("pg_tblspc/16384/PG_17_1/extra arrived but"));
}

TEST_F(Streaming, AFileListedTwiceIsNoticed) {
  backup.list("backup_label", "label\n");
  EXPECT_THAT(failure(), HasSubstr("backup_label is in the manifest twice"));
}

TEST_F(Streaming, AFileThatArrivesTwiceIsRefused) {
  backup.archives[1].tar += tar_file("base/1", std::string(100'000, 'x'));
  EXPECT_THAT(failure(), HasSubstr("base/1: File exists"));
}

TEST_F(Streaming, ATruncatedArchiveIsCorrupt) {
  backup.archives[1].tar.resize(backup.archives[1].tar.size() - 1000);
  EXPECT_THAT(failure(), HasSubstr("cut short"));
}

TEST_F(Streaming, HostileNamesLeaveNothingOutside) {
  for (const char* name : {"../evil", "/tmp/evil", "base/../../../evil", ".."}) {
    backup = sample();
    backup.archives[1].tar += tar_file(name, "x");
    EXPECT_THAT(failure(), HasSubstr("unsafe name")) << name;
    EXPECT_THAT(outside(), ElementsAre("id"));
  }
}

TEST_F(Streaming, LinksElsewhereAreRefused) {
  for (const char* name : {"base/link", "pg_tblspc", "pg_tblspc/x", "pg_tblspc/16384/x", "pg_tblspc/0"}) {
    backup = sample();
    backup.archives[1].tar += tar_header(name, '2', 0, "/etc");
    EXPECT_THAT(failure(), HasSubstr("link")) << name;
  }
}

TEST_F(Streaming, NothingIsWrittenThroughALink) {
  backup.archives[1].tar += tar_header("pg_tblspc/999", '2', 0, "/tmp") + tar_file("pg_tblspc/999/evil", "x");
  EXPECT_NE(failure(), "no failure");
  EXPECT_FALSE(fs::exists("/tmp/evil"));
}

TEST_F(Streaming, ATablespaceCreatedMeanwhileIsLeftToRecovery) {
  backup.archives[1].tar += tar_header("pg_tblspc/20000", '2', 0, "/srv/new");
  take();
  EXPECT_FALSE(fs::is_symlink(data / "pg_tblspc/20000"));
  EXPECT_THAT(events.logged, Contains(HasSubstr("tablespace 20000")));
}

TEST_F(Streaming, ATablespaceInPlaceStaysInTheDataDirectory) {
  backup.archives.back().tar += tar_header("pg_tblspc/16500", '5', 0);
  backup.archives.push_back(
      {.tablespace = {.oid = "16500", .location = "pg_tblspc/16500"}, .tar = tar_header("PG_17_1", '5', 0)});
  backup.add("PG_17_1/5", "five");
  const StreamingOutcome outcome = take();
  EXPECT_EQ(text("data/pg_tblspc/16500/PG_17_1/5"), "five");
  EXPECT_EQ(outcome.tablespaces.size(), 1U);
}

TEST_F(Streaming, PageChecksumFailuresOfTheServerNameTheFile) {
  backup.warnings = {
      "checksum verification failed in file \"./base/1\", block 7: calculated 1 but expected 2"};
  connector.failure = Error(ErrorKind::kFailed, "checksum verification failure during base backup");
  // The server fails after its warnings, with the last step.
  int last = 0;
  for (int step = 0;; ++step) {
    connector.attempts = 0;
    connector.fail_at = step;
    if (failure() == "no failure") break;
    last = step;
  }
  connector.attempts = 0;
  connector.fail_at = last;
  const std::string said = failure();
  EXPECT_THAT(said, HasSubstr("checksum verification failure during base backup"));
  EXPECT_THAT(said, HasSubstr("./base/1"));
}

TEST_F(Streaming, AFailureAtAnyStepComesOutAndAnotherAttemptSucceeds) {
  for (int step = 0;; ++step) {
    connector.attempts = 0;
    connector.fail_at = step;
    copy.retries = 0;
    if (failure() == "no failure") {
      EXPECT_GT(step, 20);
      break;
    }
    EXPECT_EQ(kind, ErrorKind::kTransient);
    connector.attempts = 0;
    copy.retries = 1;
    EXPECT_EQ(failure(), "no failure") << step;
    EXPECT_EQ(text("data/base/1"), std::string(100'000, 'x'));
  }
}

TEST_F(Streaming, TriesAgainAsOftenAsAskedWithPauses) {
  connector.fail_at = 3;
  connector.failing_attempts = 3;
  copy.retries = 2;
  copy.pause = std::chrono::seconds(7);
  EXPECT_THAT(failure(), HasSubstr("connection lost"));
  EXPECT_EQ(connector.attempts, 3);
  EXPECT_EQ(clock.slept, std::chrono::seconds(14));
}

TEST_F(Streaming, WhatCannotPassIsNotTriedAgain) {
  connector.fail_at = 3;
  connector.failure = Error(ErrorKind::kFailed, "permission denied");
  copy.retries = 5;
  EXPECT_THAT(failure(), HasSubstr("permission denied"));
  EXPECT_EQ(connector.attempts, 1);
}

TEST_F(Streaming, AStopIsHeard) {
  stop.request_stop();
  failure();
  EXPECT_EQ(kind, ErrorKind::kCancelled);
}

TEST_F(Streaming, ALackOfRoomIsNoticedBeforeTheFirstByte) {
  backup.archives[1].tablespace.size_bytes = std::uint64_t{1} << 60;
  EXPECT_THAT(failure(), HasSubstr("free"));
  EXPECT_EQ(kind, ErrorKind::kFailed);
  EXPECT_THAT(text("data/backup_label"), "(none)");
}

// The limit on file sizes stands in for a full disk.
TEST_F(Streaming, AFileThatCannotBeWrittenIsNamed) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { .rlim_cur = 50'000, .rlim_max = before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string said = failure();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(said, HasSubstr("data/base/1: File too large"));
  EXPECT_EQ(kind, ErrorKind::kFailed);
}

TEST_F(Streaming, AnotherClusterBehindTheStreamingConnectionIsRefused) {
  copy.system_identifier = "1";
  EXPECT_THAT(failure(), HasSubstr("system identifier"));
  copy.system_identifier = "7711322697705067425";
  EXPECT_EQ(failure(), "no failure");
}

TEST_F(Streaming, SaysWhenTheServerWaitsForWal) {
  int switches = 0;
  copy.server_waits_for_wal = [&] { ++switches; };
  backup.warnings = {"still waiting for all required WAL segments to be archived (60 seconds elapsed)"};
  take();
  EXPECT_EQ(switches, 1);
}

}  // namespace
}  // namespace barman::engine
