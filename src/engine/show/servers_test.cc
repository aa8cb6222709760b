#include "engine/show/servers.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/server/option_facts.h"
#include "engine/server/status.h"
#include "postgres/connector.h"
#include "postgres/replication.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

using namespace std::chrono_literals;

const Time kNow{1'800'000'000s};

config::Server server() {
  config::Server result{.name = "main", .values = {}, .messages = {}};
  result.values.set("active", true, "default");
  result.values.set("conninfo", std::string("host=a"), "x");
  result.values.set("streaming_conninfo", std::string("host=b"), "x");
  return result;
}

// A host where nobody answers.
class Nobody final : public postgres::Connector {
 public:
  explicit Nobody(ErrorKind kind = ErrorKind::kTransient) : kind_(kind) {}
  std::unique_ptr<postgres::Session> session(const std::string& conninfo,
                                             const postgres::ConnectOptions&) override {
    throw Error(kind_, "nobody at " + conninfo);
  }
  std::unique_ptr<postgres::Replication> replication(const std::string& conninfo,
                                                     const postgres::ConnectOptions&) override {
    throw Error(kind_, "nobody streams at " + conninfo);
  }

 private:
  ErrorKind kind_;
};

TEST(DescriptionWithState, NamesTheState) {
  auto main = server();
  EXPECT_EQ(description_with_state(main), "");
  main.values.set("description", std::string("Orders"), "x");
  EXPECT_EQ(description_with_state(main), "Orders");
  main.messages = {"broken"};
  EXPECT_EQ(description_with_state(main), "Orders (WARNING: disabled)");
  main.values.set("primary_ssh_command", std::string("ssh a"), "x");
  EXPECT_EQ(description_with_state(main), "Orders (WARNING: disabled) (Passive)");
  main.values.set("active", false, "x");
  EXPECT_EQ(description_with_state(main), "Orders (inactive) (Passive)");
}

TEST(DescribeServer, HasEveryOptionAndTheStatus) {
  const auto description = describe_server(server(), {{"timeline", std::int64_t{3}}}, std::nullopt, kNow);
  EXPECT_EQ(description.facts.size(), 122U + 3U + 1U);
  EXPECT_EQ(description.facts.at("name"), Fact(std::string("main")));
  EXPECT_EQ(description.facts.at("timeline"), Fact(std::int64_t{3}));
  EXPECT_EQ(description.facts.at("active_model"), Fact());
  EXPECT_EQ(description.facts.at("backup_options"), Fact(WordSet{"BackupOptions", {}}));
  EXPECT_EQ(description.facts.at("last_backup_maximum_age"), Fact(std::string("None")));
}

TEST(DescribeServer, HoldsTheLatestBackupAgainstItsLimit) {
  auto main = server();
  main.values.set("last_backup_maximum_age", config::Interval{24h}, "x");
  const auto age = [&](std::optional<Time> end) {
    return std::get<std::string>(describe_server(main, {}, end, kNow).facts.at("last_backup_maximum_age"));
  };
  EXPECT_EQ(age(std::nullopt), "1 day (WARNING! latest backup is No available backups old)");
  EXPECT_EQ(age(kNow - 2h), "1 day (latest backup: 2 hours )");
  EXPECT_EQ(age(kNow - 49h), "1 day (WARNING! latest backup is 2 days, 1 hour old)");
}

TEST(OptionFacts, ShowLimitsAsNumbers) {
  auto main = server();
  main.values.set("tablespace_bandwidth_limit", std::vector<std::string>{"a:1", "b:2"}, "x");
  EXPECT_EQ(option_facts(main).at("tablespace_bandwidth_limit"),
            Fact(std::map<std::string, std::int64_t>{{"a", 1}, {"b", 2}}));
}

TEST(ServerStatus, SaysWhyNothingIsKnown) {
  auto main = server();
  main.values.set("archiver", true, "x");
  Nobody connector;
  const auto facts = server_status(main, connector, {});
  EXPECT_EQ(facts.at("connection_error"), Fact(std::string("nobody at host=a")));
  EXPECT_EQ(facts.at("server_txt_version"), Fact());
  EXPECT_EQ(facts.at("archive_mode"), Fact());
  EXPECT_EQ(facts.count("streaming"), 0U);
  main.values.set("backup_method", std::string("postgres"), "x");
  EXPECT_EQ(server_status(main, connector, {}).at("streaming"), Fact());
}

TEST(ServerStatus, AsksNobodyWithoutAConnectionString) {
  auto main = server();
  main.values.set("conninfo", {}, "x");
  Nobody connector(ErrorKind::kCancelled);  // would come through
  EXPECT_EQ(server_status(main, connector, {}).at("connection_error"),
            Fact(std::string("conninfo is not set")));
}

TEST(ServerStatus, LeavesInactiveAndPassiveServersAlone) {
  Nobody connector(ErrorKind::kCancelled);
  auto inactive = server();
  inactive.values.set("active", false, "x");
  EXPECT_TRUE(server_status(inactive, connector, {}).empty());
  auto passive = server();
  passive.values.set("primary_ssh_command", std::string("ssh a"), "x");
  EXPECT_TRUE(server_status(passive, connector, {}).empty());
}

TEST(ServerStatus, CanBeCancelled) {
  Nobody connector(ErrorKind::kCancelled);
  EXPECT_THROW((void)server_status(server(), connector, {}), Error);
}

}  // namespace
}  // namespace barman::engine
