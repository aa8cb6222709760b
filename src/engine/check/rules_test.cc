#include "engine/check/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace barman::engine {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Time kNow{std::chrono::seconds(1795354200)};

std::string shown(const CheckLine& line) {
  return line.label + ": " + (line.ok ? "OK" : "FAILED") + (line.hint.empty() ? "" : " (" + line.hint + ")");
}

template <class T>
Answer<T> answered(T value) {
  return {.value = std::move(value)};
}

catalog::BackupInfo backup(const std::string& id,
                           catalog::BackupStatus status = catalog::BackupStatus::kDone) {
  catalog::BackupInfo info{.id = {id}, .status = status};
  info.mode = "postgres";
  info.end_time = catalog::Timestamp{.instant = kNow - 1h};
  info.size = 2048;
  return info;
}

// A streaming server on which everything is in order; tests spoil one thing.
class RulesTest : public testing::Test {
 protected:
  RulesTest() {
    server_.name = "main";
    set("backup_method", std::string("postgres"));
    set("streaming_archiver", true);
    set("check_timeout", std::int64_t{30});
    set("streaming_wals_directory", std::string("/b/main/streaming"));
    set("incoming_wals_directory", std::string("/b/main/incoming"));
    set("active", true);

    facts_.version = 150018;
    facts_.version_text = "15.18";
    facts_.superuser = true;
    facts_.system_identifier = "7001";
    facts_.settings = {{"wal_level", "replica"}, {"archive_mode", "off"}, {"archive_command", ""}};
    remote_.main = answered(facts_);
    remote_.streaming =
        answered(postgres::SystemIdentity{.system_identifier = "7001", .timeline = 1, .flushed = {}});
    remote_.slot = answered(std::optional(Slot{.active = true, .restart_lsn = pgformat::Lsn{1}}));
    asked_.main = "host=pg";
    asked_.streaming = "host=pg";
    asked_.slot_name = "barman";

    local_.directories = answered(std::string());
    local_.incoming = answered(std::size_t{0});
    local_.streaming = answered(std::size_t{0});
    local_.backups = answered(catalog::Listing{});
    local_.wal = answered(ArchivedWal{.empty = false});
    local_.identity = answered(std::optional<catalog::Identity>{});
    local_.errors = answered(std::map<std::string, std::size_t>{});
    local_.receiver_running = answered(true);
  }

  void set(const char* option, config::Value value) { server_.values.set(option, std::move(value), "test"); }

  std::vector<std::string> check() {
    Observed observed{.server = server_,
                      .now = kNow,
                      .local = local_,
                      .buckets = buckets_,
                      .own_cluster = own_cluster_,
                      .asked = asked_};
    if (server_.active() && !server_.passive()) observed.remote = remote_;
    std::vector<std::string> lines;
    for (const CheckLine& line : judge(observed)) {
      lines.push_back(shown(line));
      for (const std::string& detail : line.details) lines.push_back("  " + detail);
    }
    return lines;
  }

  config::Server server_;
  ServerFacts facts_;
  ServerAnswers remote_;
  ServerQuestions asked_;
  LocalFacts local_;
  std::optional<BucketAnswers> buckets_;
  Answer<bool> own_cluster_;
};

TEST_F(RulesTest, NobodyIsAskedForAnInactiveServer) {
  set("active", false);
  const std::vector<std::string> lines = check();
  EXPECT_THAT(lines, testing::Not(testing::Contains(testing::StartsWith("PostgreSQL"))));
  EXPECT_THAT(lines, testing::Contains("systemid coherence: OK (no system Id available)"));
  set("primary_ssh_command", std::string("ssh other"));
  EXPECT_EQ(check(), lines);
}

TEST_F(RulesTest, AHealthyStreamingServerShowsTheseLinesInThisOrder) {
  EXPECT_THAT(
      check(),
      ElementsAre(
          "PostgreSQL: OK", "superuser or standard user with backup privileges: OK",
          "PostgreSQL streaming: OK", "wal_level: OK", "replication slot: OK", "directories: OK",
          "retention policy settings: OK", "backup maximum age: OK (no last_backup_maximum_age provided)",
          "backup minimum size: OK (0 B)", "wal maximum age: OK (no last_wal_maximum_age provided)",
          "wal size: OK (0 B)", "compression settings: OK", "failed backups: OK (there are 0 failed backups)",
          "minimum redundancy requirements: OK (have 0 non-incremental backups, expected at least 0)",
          "pg_basebackup: OK", "pg_basebackup compatible: OK",
          "pg_basebackup supports tablespaces mapping: OK",
          "systemid coherence: OK (no system Id stored on disk)", "pg_receivexlog: OK",
          "pg_receivexlog compatible: OK", "receive-wal running: OK", "archiver errors: OK"));
}

TEST_F(RulesTest, NothingArchivedIsAFailureUnlessABackupWaitsForIt) {
  local_.wal = answered(ArchivedWal{.empty = true});
  EXPECT_EQ(check().front(), "WAL archive: FAILED (please make sure WAL shipping is setup)");
  local_.backups.value->backups = {backup("20261122T120000", catalog::BackupStatus::kWaitingForWals)};
  EXPECT_EQ(check().front(), "PostgreSQL: OK");
  local_.backups.value->backups.clear();
  remote_.wal_arrives = answered(true);
  EXPECT_EQ(check().front(), "PostgreSQL: OK");
  remote_.wal_arrives = answered(false);
  EXPECT_EQ(check().front(), "WAL archive: FAILED (please make sure WAL shipping is setup)");
}

TEST_F(RulesTest, WalInTheFolderOfAnArchiverThatIsOffIsAFailure) {
  local_.incoming = answered(std::size_t{2});
  EXPECT_EQ(check().front(),
            "empty incoming directory: FAILED ('/b/main/incoming' must be empty when archiver=off)");
}

TEST_F(RulesTest, AQueueMayBeAsLongAsItsLimit) {
  set("max_incoming_wals_queue", std::int64_t{3});
  local_.streaming = answered(std::size_t{3});
  EXPECT_EQ(check().front(), "PostgreSQL: OK");
  local_.streaming = answered(std::size_t{4});
  EXPECT_EQ(check().front(), "streaming WALs directory: FAILED (there are too many WALs in queue: 4, max 3)");
}

TEST_F(RulesTest, AServerThatIsDownSpoilsOnlyWhatNeedsIt) {
  remote_ = {};
  remote_.main.error = "connection refused";
  const std::vector<std::string> lines = check();
  EXPECT_EQ(lines.front(), "PostgreSQL: FAILED (connection refused)");
  EXPECT_THAT(lines, Not(Contains(HasSubstr("wal_level"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("superuser"))));
  EXPECT_THAT(lines, Contains("directories: OK"));
  EXPECT_THAT(lines, Contains("replication slot: FAILED (PostgreSQL cannot be asked)"));
  EXPECT_THAT(
      lines,
      Contains(
          "pg_basebackup compatible: FAILED (PostgreSQL version: None, pg_basebackup version: built in)"));
  EXPECT_THAT(lines, Contains("systemid coherence: OK (no system Id available)"));
}

TEST_F(RulesTest, ALateAnswerFailsItsOwnCheckAndTheTimeout) {
  remote_.slot = {.error = "no answer within 10 seconds", .late = true};
  const std::vector<std::string> lines = check();
  EXPECT_THAT(lines, Contains("replication slot: FAILED (no answer within 10 seconds)"));
  EXPECT_THAT(lines, Contains("PostgreSQL streaming: OK"));
  EXPECT_EQ(lines.back(), "check timeout: FAILED (barman check command timed out)");
}

TEST_F(RulesTest, MissingPrivilegesHaveAnotherLabel) {
  remote_.main.value->superuser = false;
  EXPECT_THAT(check(),
              Contains("no access to backup functions: FAILED (privileges for PostgreSQL backup functions "
                       "are required (see documentation))"));
  remote_.main.value->backup_privileges = true;
  EXPECT_THAT(check(), Contains("superuser or standard user with backup privileges: OK"));
}

TEST_F(RulesTest, AServerThatIsTooOldIsNamed) {
  remote_.main.value->version = 120022;
  remote_.main.value->version_text = "12.22";
  EXPECT_EQ(check().front(),
            "PostgreSQL: FAILED (PostgreSQL 12.22 is too old, this program needs 13 or later)");
}

TEST_F(RulesTest, MinimalWalLevelIsAFailure) {
  remote_.main.value->settings["wal_level"] = "minimal";
  EXPECT_THAT(check(), Contains("wal_level: FAILED (please set it to a higher level than 'minimal')"));
}

TEST_F(RulesTest, ASlotMustExistBeInitialisedAndActive) {
  remote_.slot = answered(std::optional<Slot>());
  EXPECT_THAT(check(),
              Contains("replication slot: FAILED (replication slot 'barman' doesn't exist. Please execute "
                       "'barman receive-wal --create-slot main')"));
  remote_.slot = answered(std::optional(Slot{}));
  EXPECT_THAT(
      check(),
      Contains("replication slot: FAILED (slot 'barman' not initialised: is 'receive-wal' running?)"));
  remote_.slot = answered(std::optional(Slot{.restart_lsn = pgformat::Lsn{1}}));
  EXPECT_THAT(check(),
              Contains("replication slot: FAILED (slot 'barman' not active: is 'receive-wal' running?)"));
  remote_.slot = answered(std::optional(Slot{.wal_status = "lost"}));
  EXPECT_THAT(check(), Contains(HasSubstr("slot 'barman' lost the WAL")));
}

TEST_F(RulesTest, ASlotThatNobodyNeedsIsMentioned) {
  set("streaming_archiver", false);
  EXPECT_THAT(
      check(),
      Contains(
          "replication slot: OK (WARNING: slot 'barman' is active but not required by the current config)"));
  remote_.slot = answered(std::optional<Slot>());
  EXPECT_THAT(check(), Not(Contains(HasSubstr("replication slot"))));
}

TEST_F(RulesTest, AStandbyIsHeldAgainstItsPrimary) {
  asked_.primary = "host=primary";
  EXPECT_THAT(
      check(),
      AllOf(Contains("PostgreSQL server is standby: FAILED (conninfo should point to a standby server "
                     "if primary_conninfo is set)"),
            Not(Contains(HasSubstr("Primary")))));
  remote_.main.value->in_recovery = true;
  remote_.primary = answered(facts_);
  EXPECT_THAT(check(), AllOf(Contains("PostgreSQL server is standby: OK"),
                             Contains("Primary server is not a standby: OK"),
                             Contains("Primary and standby have same system ID: OK")));
  remote_.primary.value->system_identifier = "7002";
  remote_.primary.value->in_recovery = true;
  EXPECT_THAT(check(), AllOf(Contains(HasSubstr("Primary server is not a standby: FAILED")),
                             Contains(HasSubstr("Primary and standby have same system ID: FAILED"))));
}

TEST_F(RulesTest, AnotherWalConnectionHasItsOwnLines) {
  asked_.wal = "host=standby";
  asked_.wal_streaming = "host=standby";
  remote_.wal = answered(facts_);
  remote_.wal_streaming = remote_.streaming;
  EXPECT_THAT(check(), AllOf(Contains("has monitoring privileges (WAL streaming): OK"),
                             Contains("PostgreSQL streaming (WAL streaming): OK"),
                             Contains("wal_level (WAL streaming): OK"),
                             Contains("systemid coherence (WAL streaming): OK (no system Id stored on disk)"),
                             Contains("replication slot (WAL streaming): OK")));
  remote_.wal.value->superuser = false;
  EXPECT_THAT(check(), Contains(HasSubstr("no access to monitoring functions: FAILED")));
}

TEST_F(RulesTest, IdentifiersMustAgree) {
  local_.identity = answered(std::optional(catalog::Identity{.systemid = "7001", .version = "15"}));
  EXPECT_THAT(check(), Contains("systemid coherence: OK"));
  local_.identity.value->value().systemid = "6999";
  EXPECT_THAT(check(),
              Contains(HasSubstr("systemid coherence: FAILED (the server has system Id 7001, but the backups "
                                 "here are of 6999")));
  remote_.streaming.value->system_identifier = "7002";
  EXPECT_THAT(check(), Contains(HasSubstr("systemid coherence: FAILED (the streaming connection leads to")));
  remote_ = {};
  remote_.main.error = "down";
  EXPECT_THAT(check(), Contains("systemid coherence: OK (no system Id available)"));
}

TEST_F(RulesTest, ArchivingByCommandIsCheckedWhenItIsUsed) {
  set("archiver", true);
  EXPECT_THAT(check(), AllOf(Contains("archive_mode: FAILED (please set it to 'on' or 'always')"),
                             Contains("archive_command: FAILED (please set it accordingly to documentation)"),
                             Not(Contains(HasSubstr("continuous")))));
  remote_.main.value->settings["archive_mode"] = "always";
  remote_.main.value->settings["archive_command"] = "cp %p /x/%f";
  remote_.archiver = answered(std::optional(ArchiverStatistics{.is_archiving = false}));
  EXPECT_THAT(check(), AllOf(Contains("archive_mode: OK"), Contains("archive_command: OK"),
                             Contains("continuous archiving: FAILED")));
  remote_.archiver.value->value().is_archiving = true;
  EXPECT_THAT(check(), Contains("continuous archiving: OK"));
}

TEST_F(RulesTest, AgesAndSizesAreHeldAgainstTheirLimits) {
  local_.backups.value->backups = {backup("20261122T120000"),
                                   backup("20261122T130000", catalog::BackupStatus::kFailed)};
  local_.wal.value->newest_time = 1795354200.0 - 120;
  local_.wal.value->bytes_after = 16 * 1024 * 1024;
  set("last_backup_maximum_age", config::Interval{2h});
  set("last_backup_minimum_size", std::int64_t{1000});
  set("last_wal_maximum_age", config::Interval{1h});
  set("minimum_redundancy", std::int64_t{2});
  EXPECT_THAT(
      check(),
      AllOf(Contains("backup maximum age: OK (interval provided: 2 hours, latest backup age: 1 hour)"),
            Contains("backup minimum size: OK (last backup size 2.0 KiB > 1000 B minimum)"),
            Contains("wal maximum age: OK (interval provided: 1 hour, latest wal age: 2 minutes)"),
            Contains("wal size: OK (16.0 MiB)"),
            Contains("failed backups: FAILED (there are 1 failed backups)"),
            Contains("minimum redundancy requirements: FAILED (have 1 non-incremental backups, expected at "
                     "least 2)")));
  set("last_backup_maximum_age", config::Interval{30min});
  set("last_backup_minimum_size", std::int64_t{1024 * 1024});
  set("last_wal_maximum_age", config::Interval{1min});
  EXPECT_THAT(
      check(),
      AllOf(Contains("backup maximum age: FAILED (interval provided: 30 minutes, latest backup age: 1 hour)"),
            Contains("backup minimum size: FAILED (last backup size 2.0 KiB < 1.0 MiB minimum)"),
            Contains("wal maximum age: FAILED (interval provided: 1 minute, latest wal age: 2 minutes)")));
  local_.backups.value->backups.clear();
  local_.wal.value->newest_time.reset();
  EXPECT_THAT(
      check(),
      AllOf(Contains("backup maximum age: FAILED (interval provided: 30 minutes, latest backup age: No "
                     "available backups)"),
            Contains("wal maximum age: FAILED (No WAL files archived for last backup)")));
}

TEST_F(RulesTest, AnUnreadablePolicyOrDirectoryIsAFailure) {
  set("retention_policy", std::string("keep some"));
  local_.directories = answered(std::string("/b/main/base: Permission denied"));
  EXPECT_THAT(check(), AllOf(Contains("retention policy settings: FAILED (see log)"),
                             Contains("directories: FAILED (/b/main/base: Permission denied)")));
}

TEST_F(RulesTest, ADamagedRecordIsReportedByName) {
  local_.backups.value->damaged = {{.name = "20261122T120000-backup.info", .reason = "cut short"}};
  EXPECT_THAT(check(),
              Contains(HasSubstr("failed backups: FAILED (there are 0 failed backups, and 1 records that "
                                 "cannot be read: 20261122T120000-backup.info")));
}

TEST_F(RulesTest, ACustomCompressionNeedsItsFilters) {
  set("compression", std::string("zstd"));
  EXPECT_THAT(check(), Contains("compression settings: OK"));
  set("compression", std::string("custom"));
  EXPECT_THAT(check(), Contains(HasSubstr("compression settings: FAILED (compression = custom needs")));
  set("custom_compression_filter", std::string("cat"));
  set("custom_decompression_filter", std::string("cat"));
  EXPECT_THAT(check(), Contains("compression settings: OK"));
}

TEST_F(RulesTest, OptionsOfEncryptionAreLookedAtInTheOrderInWhichTheyAreSet) {
  set("backup_method", std::string("rsync"));
  set("encryption", std::string("gpg"));
  EXPECT_THAT(check(), Contains(HasSubstr("encryption: FAILED (encryption_key_id is not set")));
  set("encryption_key_id", std::string("key"));
  EXPECT_THAT(check(), Contains(HasSubstr("encryption: FAILED (backups with backup_method = rsync cannot")));
  set("backup_method", std::string("postgres"));
  EXPECT_THAT(check(), Contains(HasSubstr("encryption: FAILED (backup_compression is not set")));
  set("backup_compression", std::string("none"));
  EXPECT_THAT(check(), Contains(HasSubstr("encryption: FAILED (backup_compression_format is not tar")));
  set("basebackups_directory", std::string("s3://bucket/x"));
  EXPECT_THAT(check(), Not(Contains(HasSubstr("encryption: FAILED (backup_compression"))));
}

TEST_F(RulesTest, ABackupFormatThatTheServerIsTooOldForIsAFailure) {
  set("backup_compression", std::string("zstd"));
  set("backup_compression_location", std::string("server"));
  EXPECT_THAT(check(), Not(Contains(HasSubstr("configuration: FAILED"))));
  remote_.main.value->version = 140010;
  EXPECT_THAT(check(), AllOf(Contains("configuration: FAILED"),
                             Contains(HasSubstr("location = server needs PostgreSQL 15"))));
  remote_.main = {.error = "connection refused"};
  EXPECT_THAT(check(), Not(Contains(HasSubstr("needs PostgreSQL 15"))));
}

TEST_F(RulesTest, WhatThisBuildCannotDoIsAFailureInItsPlace) {
  set("pre_backup_script", std::string("/bin/true"));
  EXPECT_THAT(check(), AllOf(Contains("configuration: FAILED"),
                             Contains(HasSubstr("  server main: pre_backup_script"))));
  set("pre_backup_script", config::Value());
  for (const auto& [method, label] :
       {std::pair("rsync", "ssh: FAILED"), std::pair("local-rsync", "local PGDATA: FAILED"),
        std::pair("snapshot", "ssh: FAILED")}) {
    set("backup_method", std::string(method));
    EXPECT_THAT(check(), Contains(HasSubstr(std::string(label) + " (this build does not")));
    EXPECT_THAT(check(), Not(Contains(HasSubstr("pg_basebackup"))));
  }
}

TEST_F(RulesTest, ADisabledServerSaysWhy) {
  server_.messages = {"first reason", "second reason"};
  EXPECT_THAT(check(), AllOf(Contains("configuration: FAILED"), Contains("  first reason"),
                             Contains("  second reason"), Not(Contains(HasSubstr("directories")))));
}

TEST_F(RulesTest, AnInactiveServerIsJudgedByItsDiskOnly) {
  set("active", false);
  EXPECT_THAT(
      check(),
      ElementsAre("directories: OK", "retention policy settings: OK",
                  "backup maximum age: OK (no last_backup_maximum_age provided)",
                  "backup minimum size: OK (0 B)", "wal maximum age: OK (no last_wal_maximum_age provided)",
                  "wal size: OK (0 B)", "compression settings: OK",
                  "failed backups: OK (there are 0 failed backups)",
                  "minimum redundancy requirements: OK (have 0 non-incremental backups, expected at least 0)",
                  "systemid coherence: OK (no system Id available)", "archiver errors: OK"));
}

TEST_F(RulesTest, QuarantinedFilesAreCountedByKind) {
  local_.errors = answered(std::map<std::string, std::size_t>{{"duplicates", 2}, {"unknown", 1}});
  EXPECT_EQ(check().back(), "archiver errors: FAILED (duplicates: 2, unknown: 1)");
}

TEST_F(RulesTest, BucketsHaveALineOfTheirOwn) {
  EXPECT_THAT(check(), Not(Contains(HasSubstr("cloud storage configuration"))));
  set("basebackups_directory", std::string("s3://bucket/path"));
  buckets_ = BucketAnswers{.trial = answered(BucketAnswers::Trial{}), .backups = {}};
  EXPECT_THAT(check(), Contains("cloud storage configuration: OK"));
  buckets_->trial.value->remark = "what is stored cannot be removed";
  EXPECT_THAT(check(), Contains("cloud storage configuration: OK (what is stored cannot be removed)"));
  buckets_->trial.value->problem = "there is no bucket";
  EXPECT_THAT(check(), Contains("cloud storage configuration: FAILED (there is no bucket)"));
  buckets_->trial = {.value = std::nullopt, .error = "no such profile"};
  EXPECT_THAT(check(), Contains("cloud storage configuration: FAILED (no such profile)"));
}

TEST_F(RulesTest, TheLineOfBucketsStandsBetweenBackupsAndWal) {
  buckets_ = BucketAnswers{.trial = answered(BucketAnswers::Trial{}), .backups = {}};
  const std::vector<std::string> lines = check();
  const auto at = std::ranges::find(lines, "cloud storage configuration: OK");
  ASSERT_TRUE(at != lines.end());
  EXPECT_THAT(*(at - 1), HasSubstr("backup minimum size"));
  EXPECT_THAT(*(at + 1), HasSubstr("wal maximum age"));
}

TEST_F(RulesTest, OptionsThatDoNotGoTogetherWithABucketAreSaidFirst) {
  set("basebackups_directory", std::string("s3://bucket/path"));
  set("wals_directory", std::string("s3://bucket/path"));
  buckets_ = BucketAnswers{.trial = answered(BucketAnswers::Trial{.problem = "not asked"}), .backups = {}};
  set("worm_mode", true);
  EXPECT_THAT(check(), Contains(HasSubstr("cloud storage configuration: FAILED (worm_mode cannot be used")));
  set("backup_method", std::string("rsync"));
  EXPECT_THAT(check(), Contains(HasSubstr("FAILED (backups with backup_method = rsync cannot go into a")));
  set("compression", std::string("custom"));
  EXPECT_THAT(check(), Contains(HasSubstr("FAILED (compression = custom cannot be used where WAL")));
}

TEST_F(RulesTest, LocalToCloudNeedsABucketAndTheFilesOfTheServer) {
  set("backup_method", std::string("local-to-cloud"));
  EXPECT_THAT(check(), Contains(HasSubstr("cloud storage configuration: FAILED (backup_method = local-to-")));
  EXPECT_THAT(check(), Not(Contains(HasSubstr("local PGDATA"))));
  EXPECT_THAT(check(), Not(Contains(HasSubstr("pg_basebackup"))));
  own_cluster_.error = "the data directory /data is not here";
  EXPECT_THAT(check(), Contains("local PGDATA: FAILED (the data directory /data is not here)"));
}

TEST_F(RulesTest, ABucketThatDoesNotAnswerInTimeSaysSo) {
  buckets_ = BucketAnswers{.trial = {.value = std::nullopt, .error = "stopped", .late = true}, .backups = {}};
  EXPECT_THAT(check(), Contains("cloud storage configuration: FAILED (no answer in time)"));
  EXPECT_EQ(check().back(), "check timeout: FAILED (barman check command timed out)");
}

}  // namespace
}  // namespace barman::engine
