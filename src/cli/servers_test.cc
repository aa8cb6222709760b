#include "cli/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/settings.h"
#include "os/process.h"
#include "postgres/connector.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ServersTest : public testing::Test {
 protected:
  ServersTest() {
    add("main");
    add("other");
    add("resting").values.set("active", false, "test");
    add("broken").messages = {"first reason", "second reason"};
    add("passive").values.set("primary_ssh_command", std::string("ssh other"), "test");
  }
  ~ServersTest() override {
    std::fclose(out_);
    std::fclose(err_);
    std::free(out_text_);
    std::free(err_text_);
  }

  config::Server& add(const std::string& name) {
    config::Server& server = configuration_.servers[name];
    server.name = name;
    server.values.set("active", true, "test");
    return server;
  }

  std::string out() {
    std::fflush(out_);
    return {out_text_, out_size_};
  }
  std::string err() {
    std::fflush(err_);
    return {err_text_, err_size_};
  }

  std::vector<std::string> visited(const std::vector<std::string>& names, const ServerRules& rules = {}) {
    std::vector<std::string> result;
    for_each_server(parts_, names, rules,
                    [&](const config::Server& server) { result.push_back(server.name); });
    return result;
  }

  char* out_text_ = nullptr;
  char* err_text_ = nullptr;
  std::size_t out_size_ = 0;
  std::size_t err_size_ = 0;
  std::FILE* out_ = ::open_memstream(&out_text_, &out_size_);
  std::FILE* err_ = ::open_memstream(&err_text_, &err_size_);
  config::Configuration configuration_;
  SystemClock clock_;
  Log log_{{.level = kLogCritical}, clock_};
  std::unique_ptr<report::Writer> writer_ = report::make_writer({.out = out_, .err = err_}, log_, clock_);
  os::LocalRunner runner_;
  postgres::LibpqConnector connector_;
  Parts parts_{.configuration = configuration_,
               .out = *writer_,
               .clock = clock_,
               .runner = runner_,
               .connector = connector_,
               .stop = {},
               .own_argv = {}};
};

TEST_F(ServersTest, NamesAreVisitedOnceInAlphabeticalOrder) {
  EXPECT_THAT(visited({"other", "main", "other"}), ElementsAre("main", "other"));
  EXPECT_EQ(writer_->exit_status(), 0);
}

TEST_F(ServersTest, AllMeansEveryServer) {
  EXPECT_THAT(visited({"all"}, {.inactive = Then::kRun, .disabled = Then::kRun}),
              ElementsAre("broken", "main", "other", "passive", "resting"));
}

TEST_F(ServersTest, AllWithOtherNamesIsAnErrorAndStillAll) {
  EXPECT_EQ(visited({"main", "all"}, {.disabled = Then::kRun}).size(), 5U);
  EXPECT_EQ(err(), "ERROR: You cannot use 'all' with other server names\n");
  EXPECT_EQ(writer_->exit_status(), 1);
}

TEST_F(ServersTest, AnUnknownServerDoesNotStopTheOthers) {
  EXPECT_THAT(visited({"absent", "main"}), ElementsAre("main"));
  EXPECT_EQ(err(), "ERROR: Unknown server 'absent'\n");
}

TEST_F(ServersTest, ServersAreSkippedAsTheRulesSay) {
  EXPECT_THAT(visited({"resting", "broken", "passive"},
                      {.inactive = Then::kSkip, .disabled = Then::kSkip, .passive = Then::kSkip}),
              IsEmpty());
  EXPECT_EQ(out(),
            "Skipping temporarily disabled server 'broken'\nSkipping passive server 'passive'\n"
            "Skipping inactive server 'resting'\n");
  EXPECT_EQ(writer_->exit_status(), 0);
}

TEST_F(ServersTest, ServersAreRefusedAsTheRulesSay) {
  EXPECT_THAT(visited({"resting", "broken"}, {.inactive = Then::kError}), IsEmpty());
  EXPECT_EQ(err(), "ERROR: first reason\nERROR: Inactive server: resting\n");
  EXPECT_EQ(writer_->exit_status(), 1);
}

TEST_F(ServersTest, AFailureOfOneServerIsReportedAndTheNextFollows) {
  std::vector<std::string> result;
  for_each_server(parts_, {"main", "other"}, {}, [&](const config::Server& server) {
    result.push_back(server.name);
    if (server.name == "main") throw Error(ErrorKind::kFailed, "main fell over");
  });
  EXPECT_THAT(result, ElementsAre("main", "other"));
  EXPECT_EQ(err(), "ERROR: main fell over\n");
}

TEST_F(ServersTest, NorDoesAFailureThatNobodyExpectedStopTheOthers) {
  int visits = 0;
  for_each_server(parts_, {"main", "other"}, {}, [&](const config::Server&) {
    if (++visits == 1) throw std::runtime_error("out of paper");
  });
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(err(), "EXCEPTION: main: out of paper\n");
}

TEST_F(ServersTest, AnInterruptionEndsTheLoop) {
  int visits = 0;
  const auto interrupted = [&](const config::Server&) {
    ++visits;
    throw Error(ErrorKind::kCancelled, "stop");
  };
  EXPECT_THROW(for_each_server(parts_, {"main", "other"}, {}, interrupted), Error);
  EXPECT_EQ(visits, 1);
}

TEST_F(ServersTest, SharedPathsMakeEveryServerUnusable) {
  configuration_.errors = {"Conflicting path: one", "Conflicting path: two"};
  EXPECT_THAT(visited({"main"}), IsEmpty());
  EXPECT_EQ(select_server(parts_, "main", {}), nullptr);
  EXPECT_EQ(err().substr(0, 62), "ERROR: Conflicting path: one\nERROR: Conflicting path: two\nERRO");
}

TEST_F(ServersTest, OneServerIsSelectedByName) {
  ASSERT_NE(select_server(parts_, "main", {}), nullptr);
  EXPECT_EQ(select_server(parts_, "main", {})->name, "main");
  EXPECT_EQ(select_server(parts_, "absent", {}), nullptr);
  EXPECT_EQ(select_server(parts_, "all", {}), nullptr);
  EXPECT_EQ(err(),
            "ERROR: Unknown server 'absent'\nERROR: You cannot use 'all' in a single server context\n");
}

}  // namespace
}  // namespace barman::cli
