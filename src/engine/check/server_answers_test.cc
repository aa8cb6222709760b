#include "engine/check/server_answers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/check/report.h"
#include "engine/recorded_events.h"
#include "postgres/connector.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Waits as a server does that never answers: until the limit of the connection or the stop.
void hang(const postgres::ConnectOptions& options) {
  std::mutex lock;
  std::condition_variable_any changed;
  std::unique_lock guard(lock);
  const auto limit = options.timeout.count() > 0 ? options.timeout : 60000ms;
  changed.wait_for(guard, options.stop, limit, [] { return false; });
  throw Error(options.stop.stop_requested() ? ErrorKind::kCancelled : ErrorKind::kTransient,
              "timeout expired");
}

// Servers by connection string: "hung" never answers, "down" refuses, "wrong" breaks off with something else.
class ScriptedConnector final : public postgres::Connector {
 public:
  std::unique_ptr<postgres::Session> session(const std::string& conninfo,
                                             const postgres::ConnectOptions& options) override {
    behave(conninfo, options);
    throw Error(ErrorKind::kFailed, "no script");
  }
  std::unique_ptr<postgres::Replication> replication(const std::string& conninfo,
                                                     const postgres::ConnectOptions& options) override {
    behave(conninfo, options);
    throw Error(ErrorKind::kFailed, "no script");
  }

  std::atomic<int> asked = 0;

 private:
  void behave(const std::string& conninfo, const postgres::ConnectOptions& options) {
    ++asked;
    if (conninfo == "hung") hang(options);
    if (conninfo == "wrong") throw std::runtime_error("something else");
    throw Error(ErrorKind::kTransient, "connection refused");
  }
};

TEST(ServerAnswersTest, NobodyIsAskedWithoutQuestions) {
  ScriptedConnector connector;
  bool did = false;
  const ServerAnswers answers = ask_servers({}, connector, 5s, [&] { did = true; }, {});
  EXPECT_TRUE(did);
  EXPECT_EQ(connector.asked, 0);
  EXPECT_FALSE(answers.main.ok());
  EXPECT_FALSE(answers.any_late());
}

TEST(ServerAnswersTest, EachFailureStaysWithItsQuestion) {
  ScriptedConnector connector;
  const ServerQuestions questions{
      .main = "down", .streaming = "wrong", .primary = "down", .wal_arrives = [](auto, const auto&) {
        return true;
      }};
  const ServerAnswers answers = ask_servers(questions, connector, 5s, [] {}, {});
  EXPECT_EQ(answers.main.error, "connection refused");
  EXPECT_EQ(answers.streaming.error, "something else");
  EXPECT_EQ(answers.primary.error, "connection refused");
  EXPECT_TRUE(answers.wal_arrives.value.value_or(false));
  EXPECT_FALSE(answers.any_late());
}

TEST(ServerAnswersTest, AHungServerCostsNoMoreThanTheLimitAndNobodyElse) {
  ScriptedConnector connector;
  std::chrono::seconds given{};
  const ServerQuestions questions{.main = "hung",
                                  .streaming = "down",
                                  .slot_name = "barman",
                                  .archiver_statistics = true,
                                  .wal_arrives = [&](std::chrono::seconds limit, const std::stop_token&) {
                                    given = limit;
                                    return true;
                                  }};
  const auto began = Clock::now();
  const ServerAnswers answers = ask_servers(questions, connector, 3s, [] {}, {});
  EXPECT_LT(Clock::now() - began, 4s);
  EXPECT_TRUE(answers.main.late);
  EXPECT_EQ(answers.main.error, "no answer within 2 seconds");
  EXPECT_TRUE(answers.any_late());
  EXPECT_EQ(answers.streaming.error, "connection refused");
  EXPECT_FALSE(answers.streaming.late);
  EXPECT_TRUE(answers.wal_arrives.ok());
  EXPECT_EQ(given, 1s);
}

TEST(ServerAnswersTest, SelfTestOfTheArchiveEndsWithTheLimit) {
  ScriptedConnector connector;
  const ServerQuestions questions{
      .wal_arrives = [](std::chrono::seconds, const std::stop_token& stop) -> bool {
        hang({.timeout = 60000ms, .stop = stop});
        return true;
      }};
  const auto began = Clock::now();
  const ServerAnswers answers = ask_servers(questions, connector, 1s, [] {}, {});
  EXPECT_LT(Clock::now() - began, 3s);
  EXPECT_TRUE(answers.wal_arrives.late);
}

TEST(ServerAnswersTest, AStopEndsTheCheck) {
  ScriptedConnector connector;
  std::stop_source stop;
  std::jthread soon([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto began = Clock::now();
  try {
    (void)ask_servers(
        {.main = "hung"}, connector, 0s, [] {}, stop.get_token());
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST(ServerAnswersTest, WhatIsDoneMeanwhileMayFailWithoutLeavingThreadsBehind) {
  ScriptedConnector connector;
  EXPECT_THROW(
      (void)ask_servers({.main = "hung"}, connector, 0s, [] { throw Error(ErrorKind::kFailed, "disk"); }, {}),
      Error);
}

TEST(CheckReportTest, OnlySomeFailuresKeepABackupFromStarting) {
  RecordedEvents events;
  CheckReport report{
      .server = "main",
      .lines = {{.label = "PostgreSQL", .ok = true},
                {.label = "failed backups", .ok = false, .hint = "there are 1 failed backups"}}};
  EXPECT_FALSE(report.passed());
  EXPECT_TRUE(may_proceed(report, events));
  report.lines.push_back({.label = "receive-wal running", .ok = false});
  EXPECT_FALSE(may_proceed(report, events));
  EXPECT_EQ(events.logged.back(), "Check 'receive-wal running' failed for server 'main'");
  EXPECT_EQ(events.logged[1],
            "Ignoring failed check 'failed backups' for server 'main' (there are 1 failed backups)");
  EXPECT_TRUE(events.errors.empty());
}

TEST(CheckReportTest, AReportOfNothingPasses) {
  RecordedEvents events;
  EXPECT_TRUE(may_proceed({.server = "main"}, events));
}

}  // namespace
}  // namespace barman::engine
