#include "engine/server/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/server/scripted_session.h"

namespace barman::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kNull = std::nullopt;

postgres::Row privileges(std::optional<std::string> superuser, std::optional<std::string> monitor,
                         std::optional<std::string> backup) {
  return {"f", superuser, monitor, backup, "f", "7123", "00000003", kNull};
}

TEST(Inspect, TellsWhatTheServerIsAndWhatTheRoleMay) {
  ScriptedSession session(150018);
  session.answers["has_function_privilege"] = {privileges("f", "t", "t")};
  session.answers["pg_settings"] = {
      {"s", "wal_segment_size", "1048576"}, {"s", "config_file", "/etc/postgresql.conf"},
      {"s", "archive_command", ""},         {"s", "data_directory", kNull},
      {"f", "/etc/postgresql.conf", kNull}, {"f", "/etc/conf.d/more.conf", kNull}};
  const ServerFacts facts = inspect(session);
  EXPECT_EQ(session.asked.size(), 2U);
  EXPECT_EQ(facts.version, 150018);
  EXPECT_FALSE(facts.in_recovery);
  EXPECT_TRUE(facts.backup_privileges);
  EXPECT_TRUE(facts.monitoring_privileges);
  EXPECT_FALSE(facts.may_checkpoint);
  EXPECT_EQ(facts.system_identifier, "7123");
  EXPECT_EQ(facts.timeline, 3U);
  EXPECT_EQ(facts.segment_size, 1048576U);
  EXPECT_EQ(facts.setting("archive_command"), "");
  EXPECT_EQ(facts.setting("data_directory"), std::nullopt);
  EXPECT_THAT(facts.included_files, ElementsAre("/etc/conf.d/more.conf"));
}

TEST(Inspect, BackupPrivilegesNeedMonitoringPrivilegesToo) {
  ScriptedSession session(150018);
  session.answers["has_function_privilege"] = {privileges("f", "f", "t")};
  EXPECT_FALSE(inspect(session).backup_privileges);
  session.answers["has_function_privilege"] = {privileges("f", "t", "f")};
  EXPECT_FALSE(inspect(session).backup_privileges);
  session.answers["has_function_privilege"] = {privileges("t", "f", "f")};
  const ServerFacts facts = inspect(session);
  EXPECT_TRUE(facts.backup_privileges && facts.monitoring_privileges && facts.may_checkpoint);
}

TEST(Inspect, AsksForTheFunctionsByTheNamesOfTheVersion) {
  for (const auto& [version, name] : {std::pair(140000, "pg_start_backup(text,boolean,boolean)"),
                                      std::pair(150000, "pg_backup_start(text,boolean)")}) {
    ScriptedSession session(version);
    session.answers["has_function_privilege"] = {privileges("f", "t", "t")};
    inspect(session);
    EXPECT_THAT(session.asked[0], HasSubstr(name));
  }
}

TEST(Inspect, AServerThatSaysNothingIsAnError) {
  ScriptedSession session(150018);
  EXPECT_THROW(inspect(session), Error);
}

TEST(WalPosition, AtTheStartOfASegmentItIsStillTheOneBefore) {
  ScriptedSession session(170011);
  const ServerFacts facts;
  session.answers["pg_current_wal_lsn"] = {
      {"0/5000000", "000000010000000000000005", kNull, "7200", "1700000000000000"}};
  WalPosition position = wal_position(session, facts);
  EXPECT_EQ(position.wal, "000000010000000000000004");
  EXPECT_EQ(position.offset, 0U);
  EXPECT_EQ(position.now.offset, std::chrono::seconds(7200));
  session.answers["pg_current_wal_lsn"] = {{"0/5000028", "000000010000000000000005", kNull, "0", "0"}};
  position = wal_position(session, facts);
  EXPECT_EQ(position.wal, "000000010000000000000005");
  EXPECT_EQ(position.offset, 0x28U);
}

TEST(WalPosition, AStandbyHasNoSegmentName) {
  ScriptedSession session(170011);
  ServerFacts standby;
  standby.in_recovery = true;
  session.answers["pg_last_wal_replay_lsn"] = {{"0/5000028", kNull, kNull, "0", "0"}};
  EXPECT_EQ(wal_position(session, standby).wal, std::nullopt);
  session.answers["pg_last_wal_replay_lsn"] = {{kNull, kNull, kNull, "0", "0"}};
  EXPECT_THROW(wal_position(session, standby), Error);
}

TEST(ReplicationSlot, IsLookedUpByNameNotByText) {
  ScriptedSession session(150018);
  EXPECT_EQ(replication_slot(session, "it's"), std::nullopt);
  EXPECT_THAT(session.asked[0], HasSubstr("<- it's"));
  session.answers["pg_replication_slots"] = {{"t", "0/5000028", "reserved"}};
  const auto slot = replication_slot(session, "barman");
  ASSERT_TRUE(slot);
  EXPECT_TRUE(slot->active);
  EXPECT_EQ(slot->restart_lsn, pgformat::Lsn{0x5000028});
}

TEST(ClusterSize, IsUnknownWithoutThePrivilege) {
  ScriptedSession session(150018);
  session.answers["pg_tablespace_size"] = {{kNull}};
  EXPECT_EQ(cluster_size(session), std::nullopt);
  session.answers["pg_tablespace_size"] = {{"12345"}};
  EXPECT_EQ(cluster_size(session), 12345U);
}

}  // namespace
}  // namespace barman::engine
