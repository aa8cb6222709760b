#include "engine/diagnose/diagnosis.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "base/error.h"
#include "config/load.h"
#include "engine/recorded_events.h"
#include "os/process.h"
#include "postgres/connector.h"
#include "postgres/replication.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

class Nobody final : public postgres::Connector {
 public:
  std::unique_ptr<postgres::Session> session(const std::string&, const postgres::ConnectOptions&) override {
    throw Error(ErrorKind::kTransient, "nobody there");
  }
  std::unique_ptr<postgres::Replication> replication(const std::string&,
                                                     const postgres::ConnectOptions&) override {
    throw Error(ErrorKind::kTransient, "nobody there");
  }
};

// Every program says its own name.
class Echo final : public os::ProcessRunner {
 public:
  os::Exit run(const os::Command& command, os::Pipes pipes, const std::stop_token&) override {
    if (command.argv.front() == "ssh") throw Error(ErrorKind::kFailed, "no such program");
    const std::string said = command.argv.front() + " 1.0\nmore\n";
    pipes.out->write(std::as_bytes(std::span(said)));
    return {};
  }
  void start_detached(const os::Command&, bool) override { FAIL(); }
};

class DiagnosisTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "barman-diagnosis-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "main/wals");
    fs::create_directories(root_ / "main/meta");
  }
  void TearDown() override { fs::remove_all(root_); }

  Diagnosis diagnosis(const std::string& servers) {
    std::ofstream(root_ / "barman.conf")
        << "[barman]\nbarman_home = " << root_.string() << "\nparallel_jobs = 2\nimmediate_checkpoint = on\n"
        << servers;
    Nobody connector;
    Echo runner;
    const config::Configuration configuration = config::load(root_ / "barman.conf");
    return diagnose(configuration,
                    [&](const config::Server& server) { return home_of(server, configuration, {}); },
                    connector, runner, Time(), events_, {});
  }

  fs::path root_;
  RecordedEvents events_;
};

constexpr auto kMain = "[main]\nconninfo = host=a\nbackup_method = postgres\narchiver = on\n";

TEST_F(DiagnosisTest, TellsWhatBarmanSetsAsText) {
  const auto global = diagnosis("").global;
  EXPECT_EQ(global.at("parallel_jobs").value, Fact(std::string("2")));
  EXPECT_EQ(global.at("immediate_checkpoint").value, Fact(std::string("true")));
  EXPECT_EQ(global.at("lock_directory_cleanup").value, Fact(true));
  EXPECT_EQ(global.at("barman_lock_directory").source, "default");
  EXPECT_EQ(global.count("log_level"), 0U);
}

TEST_F(DiagnosisTest, GoesOnWithoutProgramsAndServers) {
  const auto result = diagnosis(kMain);
  EXPECT_EQ(result.system.at("rsync_ver"), "rsync 1.0");
  EXPECT_EQ(result.system.at("ssh_ver"), std::nullopt);
  EXPECT_EQ(result.servers.at("main").status.at("connection_error"), Fact(std::string("nobody there")));
  EXPECT_EQ(result.servers.at("main").config.size(), 123U);
  EXPECT_EQ(result.servers.at("main").config.at("parallel_jobs").source, (root_ / "barman.conf").string());
}

TEST_F(DiagnosisTest, FindsTheNewestSegmentOfEachTimeline) {
  std::ofstream(root_ / "main/wals/main-xlog.db")
      << "000000010000000000000001\t16\t1.5\tNone\tNone\n000000010000000000000002\t17\t2.5\tgzip\tNone\n"
         "00000002.history\t50\t2.0\tNone\tNone\n000000020000000000000002\t18\t3.5\tNone\tNone\n";
  const auto last = diagnosis(kMain).servers.at("main").last_wal;
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last.at("00000001").name, "000000010000000000000002");
  EXPECT_EQ(last.at("00000001").compression, "gzip");
  EXPECT_EQ(last.at("00000002").size, 18U);
  EXPECT_EQ(last.at("00000002").compression, std::nullopt);
}

TEST_F(DiagnosisTest, LeavesTheDiskAsItIs) {
  (void)diagnosis(kMain);
  EXPECT_FALSE(fs::exists(root_ / "main/wals/main-xlog.db"));
  EXPECT_FALSE(fs::exists(root_ / ".main-xlogdb.lock"));
}

TEST_F(DiagnosisTest, NamesADamagedBackupAndShowsTheRest) {
  std::ofstream(root_ / "main/meta/20260101T000000-backup.info") << "garbage\n";
  std::ofstream(root_ / "main/meta/20260102T000000-backup.info")
      << catalog::format_backup_info({.id = {"20260102T000000"}});
  const auto backups = diagnosis(kMain).servers.at("main").backups;
  ASSERT_EQ(backups.size(), 1U);
  EXPECT_EQ(backups[0].id.text, "20260102T000000");
  ASSERT_EQ(events_.warnings.size(), 1U);
  EXPECT_NE(events_.warnings[0].find("20260101T000000"), std::string::npos) << events_.warnings[0];
}

}  // namespace
}  // namespace barman::engine
