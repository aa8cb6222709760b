#include "postgres/server_error.h"

#include <gtest/gtest.h>

namespace barman::postgres {
namespace {

ServerMessage said(std::string sqlstate, std::string text) {
  return {.severity = "FATAL", .sqlstate = std::move(sqlstate), .text = std::move(text)};
}

TEST(Diagnose, AWrongPasswordIsNotTriedAgain) {
  const auto diagnosis =
      diagnose(said("28P01", "password authentication failed for user \"barman\""), ConnectionUse::kSql);
  EXPECT_EQ(diagnosis.kind, ErrorKind::kFailed);
  EXPECT_NE(diagnosis.advice.find(".pgpass"), std::string::npos);
}

TEST(Diagnose, AMissingHbaLineAndAMissingRoleShareACodeButNotTheAdvice) {
  const auto hba = diagnose(said("28000", "kein pg_hba.conf-Eintrag für Replikationsverbindung"),
                            ConnectionUse::kReplication);
  EXPECT_NE(hba.advice.find("pg_hba.conf"), std::string::npos);
  const auto role = diagnose(said("28000", "role \"barman\" does not exist"), ConnectionUse::kSql);
  EXPECT_NE(role.advice.find("role exists"), std::string::npos);
}

TEST(Diagnose, MissingPrivilegeMeansTheReplicationAttributeOnlyOnAReplicationConnection) {
  const ServerMessage denied = said("42501", "permission denied to start WAL sender");
  EXPECT_NE(diagnose(denied, ConnectionUse::kReplication).advice.find("REPLICATION"), std::string::npos);
  EXPECT_EQ(diagnose(denied, ConnectionUse::kSql).advice, "");
}

TEST(Diagnose, NoFreeWalSenderMayPassAndNamesWhatToRaise) {
  const auto diagnosis = diagnose(
      said("53300", "number of requested standby connections exceeds max_wal_senders (currently 10)"),
      ConnectionUse::kReplication);
  EXPECT_EQ(diagnosis.kind, ErrorKind::kTransient);
  EXPECT_NE(diagnosis.advice.find("Raise max_wal_senders"), std::string::npos);
}

TEST(Diagnose, AServerThatHasNoWalSendersNeedsOtherSettings) {
  const auto diagnosis =
      diagnose(said("53300", "number of requested standby connections exceeds max_wal_senders (currently 0)"),
               ConnectionUse::kReplication);
  EXPECT_EQ(diagnosis.kind, ErrorKind::kFailed);
  EXPECT_NE(diagnosis.advice.find("wal_level = replica"), std::string::npos);
}

TEST(Diagnose, SlotTroubles) {
  EXPECT_EQ(
      diagnose(said("42710", "replication slot \"b\" already exists"), ConnectionUse::kReplication).kind,
      ErrorKind::kRefused);
  EXPECT_EQ(
      diagnose(said("55006", "replication slot \"b\" is active for PID 7"), ConnectionUse::kReplication).kind,
      ErrorKind::kTransient);
  EXPECT_NE(diagnose(said("53400", "all replication slots are in use"), ConnectionUse::kReplication)
                .advice.find("max_replication_slots"),
            std::string::npos);
  ServerMessage lost = said("55000", "can no longer get changes from replication slot \"b\"");
  lost.detail = "This slot has been invalidated because it exceeded max_slot_wal_keep_size.";
  EXPECT_NE(diagnose(lost, ConnectionUse::kReplication).advice.find("--drop-slot"), std::string::npos);
}

TEST(Diagnose, AServerThatStartsOrStopsAndALostConnectionMayPass) {
  for (const char* code : {"57P01", "57P02", "57P03", "08006", "40001", "57014", ""}) {
    EXPECT_EQ(diagnose(said(code, "x"), ConnectionUse::kSql).kind, ErrorKind::kTransient) << code;
  }
  for (const char* code : {"42601", "22012", "XX000", "3D000", "53100", "58P01"}) {
    EXPECT_EQ(diagnose(said(code, "x"), ConnectionUse::kSql).kind, ErrorKind::kFailed) << code;
  }
}

TEST(Diagnose, WrongPageChecksumsAreDamage) {
  EXPECT_EQ(
      diagnose(said("XX001", "checksum verification failure during base backup"), ConnectionUse::kReplication)
          .kind,
      ErrorKind::kCorrupt);
}

TEST(ServerError, TellsWhatWasDoneWhatTheServerSaidAndWhatToDo) {
  ServerMessage message = said("53400", "all replication slots are in use");
  message.hint = "Free one or increase max_replication_slots.";
  const ServerError error =
      server_error("creating replication slot 'b'", message, ConnectionUse::kReplication);
  EXPECT_STREQ(
      error.what(),
      "creating replication slot 'b': all replication slots are in use. Raise max_replication_slots on the "
      "server (restart needed), or drop a slot that nobody uses.");
  EXPECT_EQ(error.sqlstate(), "53400");
}

TEST(ServerError, FallsBackOnTheServersOwnHint) {
  ServerMessage message = said("22023", "odd value");
  message.detail = "It is odd.";
  message.hint = "Make it even.";
  EXPECT_STREQ(server_error("query", message, ConnectionUse::kSql).what(),
               "query: odd value (It is odd). Make it even");
}

TEST(ConnectFailure, TheCodeIsFoundAndTheServersSourceLeftOut) {
  const auto message = parse_connect_failure(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication "
      "failed for user "
      "\"barman\"\nLOCATION:  auth_failed, auth.c:319\n");
  EXPECT_EQ(message.sqlstate, "28P01");
  EXPECT_EQ(message.text,
            "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password authentication failed "
            "for user "
            "\"barman\"");
}

TEST(ConnectFailure, WithoutAServerThereIsNoCode) {
  const auto message = parse_connect_failure(
      "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n");
  EXPECT_EQ(message.sqlstate, "");
  EXPECT_EQ(message.text, "connection to server at \"127.0.0.1\", port 1 failed: Connection refused");
}

TEST(ConnectFailure, OfSeveralHostsTheLastOneCounts) {
  const auto message = parse_connect_failure(
      "connection to server at \"a\", port 1 failed: FATAL:  57P03: the database system is starting up\n"
      "LOCATION:  ProcessStartupPacket, postmaster.c:2400\n"
      "connection to server at \"b\", port 1 failed: FATAL:  28000: role \"x\" does not exist\n");
  EXPECT_EQ(message.sqlstate, "28000");
  EXPECT_NE(message.text.find("starting up; connection to server at \"b\""), std::string::npos);
}

TEST(ConnectFailure, OddTextsAreKept) {
  EXPECT_EQ(parse_connect_failure("").text, "");
  EXPECT_EQ(parse_connect_failure("FATAL:  28P01").text, "FATAL:  28P01");
  EXPECT_EQ(parse_connect_failure("a:  b:  c").text, "a:  b:  c");
}

}  // namespace
}  // namespace barman::postgres
