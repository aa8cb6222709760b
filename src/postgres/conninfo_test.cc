#include "postgres/conninfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::postgres {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST(Conninfo, WordsAndUrisAreUnderstood) {
  EXPECT_THAT(*parse_conninfo("host=db1 user='b b' dbname=postgres"),
              ::testing::ElementsAre(Pair("dbname", "postgres"), Pair("host", "db1"), Pair("user", "b b")));
  EXPECT_THAT(*parse_conninfo("postgresql://barman:pw@db1:5433/postgres"), Contains(Pair("port", "5433")));
  EXPECT_TRUE(is_valid_conninfo(""));
  for (const char* bad : {"host", "host=", "nosuchword=1", "user='x", "postgresql://[::1"}) {
    EXPECT_EQ(is_valid_conninfo(bad), bad == std::string("host=")) << bad;
  }
}

TEST(Conninfo, ABadStringIsReportedWithoutItsSecrets) {
  try {
    sql_parameters("host=db1 password=top secret", {});
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos);
  }
}

TEST(Conninfo, AnSqlConnectionHasANameAndNoSearchPath) {
  const auto parameters =
      sql_parameters("host=db1", {.application_name = "barman", .timeout = std::chrono::seconds(3)});
  EXPECT_THAT(parameters, Contains(Pair("application_name", "barman")));
  EXPECT_THAT(parameters, Contains(Pair("options", "-csearch_path= -cstatement_timeout=3000")));
  EXPECT_THAT(sql_parameters("host=db1", {}), Contains(Pair("options", "-csearch_path=")));
}

TEST(Conninfo, WhatTheUserWroteIsKept) {
  const auto parameters = sql_parameters("application_name=mine options=-cwork_mem=1MB", {});
  EXPECT_THAT(parameters, Contains(Pair("application_name", "mine")));
  EXPECT_THAT(parameters, Contains(Pair("options", "-cwork_mem=1MB")));
}

TEST(Conninfo, AReplicationConnectionSaysSo) {
  const auto parameters =
      replication_parameters("host=db1 dbname=postgres", {.application_name = "barman_receive_wal"});
  EXPECT_THAT(parameters, Contains(Pair("replication", "true")));
  EXPECT_THAT(parameters, Contains(Pair("dbname", "replication")));
  EXPECT_THAT(parameters, Contains(Pair("options", "-cdatestyle=iso")));
  EXPECT_THAT(parameters, Contains(Pair("application_name", "barman_receive_wal")));
  EXPECT_THAT(parameters, Contains(Pair("keepalives_idle", "60")));
  EXPECT_THAT(
      replication_parameters("options=-cx.y=1 keepalives_idle=5", {}),
      ::testing::IsSupersetOf({Pair("options", "-cx.y=1 -cdatestyle=iso"), Pair("keepalives_idle", "5")}));
}

TEST(Conninfo, ADescriptionNeverHoldsThePassword) {
  const std::string text =
      describe(*parse_conninfo("postgresql://barman:secret@db1:5433/postgres?sslpassword=secret"));
  EXPECT_EQ(text, "host db1, port 5433, user barman, database postgres");
  EXPECT_EQ(describe({}), "libpq's defaults");
}

TEST(Conninfo, TheShorterLimitOfAnAttemptToConnectCounts) {
  using std::chrono::seconds;
  EXPECT_EQ(connect_limit(*parse_conninfo("connect_timeout=3"), {.timeout = seconds(30)}), seconds(3));
  EXPECT_EQ(connect_limit(*parse_conninfo("connect_timeout=60"), {.timeout = seconds(30)}), seconds(30));
  EXPECT_EQ(connect_limit(*parse_conninfo("connect_timeout=3"), {}), seconds(3));
  EXPECT_EQ(connect_limit(*parse_conninfo("connect_timeout=0"), {}), seconds(0));
  EXPECT_EQ(connect_limit(*parse_conninfo("connect_timeout=x"), {}), seconds(0));
  EXPECT_EQ(connect_limit(*parse_conninfo("host=a"), {}), seconds(0));
}

}  // namespace
}  // namespace barman::postgres
