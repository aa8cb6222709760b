#include "engine/backup/parent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/backup/scripted_backup.h"
#include "engine/recorded_events.h"
#include "engine/server/bucket_home.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Parent : public testing::Test {
 protected:
  Parent() {
    home.server = "main";
    home.base = folder.path();
    facts.version = 170006;
    facts.version_text = "17.6";
    facts.system_identifier = "7711322697705067425";
    facts.timeline = 1;
    facts.settings = {{"summarize_wal", "on"}, {"data_checksums", "on"}};
    backups.push_back(record("20260101T000000"));
  }

  BackupInfo record(const std::string& id) {
    BackupInfo info{.id = {id}};
    info.mode = "postgres";
    info.status = BackupStatus::kDone;
    info.summarize_wal = "on";
    info.data_checksums = "on";
    info.version = 170004;
    info.systemid = facts.system_identifier;
    info.timeline = 1;
    info.begin_xlog = pgformat::Lsn{0x2000028};
    info.end_xlog = pgformat::Lsn{0x2000100};
    os::make_directories(home.data(info.id));
    os::write_file(home.manifest(info.id), ScriptedBackup{}.manifest());
    return info;
  }

  BackupInfo choose(const std::string& word = "latest") {
    return choose_parent(
        home, backups, word, facts,
        {.history = [this](pgformat::Timeline) { return history; }, .fetch_manifest = fetch_manifest},
        events);
  }

  std::string refusal(ErrorKind expected = ErrorKind::kRefused) {
    try {
      choose();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), expected);
      return e.what();
    }
    return "none";
  }

  os::TestFolder folder;
  Home home;
  ServerFacts facts;
  std::vector<BackupInfo> backups;
  std::string history;
  FetchManifest fetch_manifest;
  RecordedEvents events;
};

TEST_F(Parent, IsTheBackupThatTheWordMeans) {
  backups.push_back(record("20260102T000000"));
  backups.back().parent_backup_id = backups.front().id;
  backups.front().backup_name = "sunday";
  EXPECT_EQ(choose("latest").id.text, "20260102T000000");
  EXPECT_EQ(choose("last").id.text, "20260102T000000");
  EXPECT_EQ(choose("last-full").id.text, "20260101T000000");
  EXPECT_EQ(choose("latest-full").id.text, "20260101T000000");
  EXPECT_EQ(choose("sunday").id.text, "20260101T000000");
  EXPECT_EQ(choose("20260101T000000").id.text, "20260101T000000");
  EXPECT_THAT(events.warnings, IsEmpty());
}

TEST_F(Parent, HasToExist) {
  backups.clear();
  EXPECT_EQ(refusal(ErrorKind::kUsage), "Unknown backup 'latest' for server 'main'");
}

TEST_F(Parent, HasToBeComplete) {
  backups[0].status = BackupStatus::kFailed;
  try {
    choose("20260101T000000");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("its status is FAILED"));
  }
  backups[0].status = BackupStatus::kWaitingForWals;
  EXPECT_NO_THROW(choose());
}

TEST_F(Parent, HasToBeStreamedFromThisClusterWithSummaries) {
  backups[0].mode = "rsync-concurrent";
  EXPECT_THAT(refusal(), HasSubstr("it was taken by rsync-concurrent"));
  backups[0].mode = "postgres";
  backups[0].summarize_wal = "off";
  EXPECT_THAT(refusal(), HasSubstr("summarize_wal was not on when it was taken; take a full backup"));
  backups[0].summarize_wal.reset();
  EXPECT_THAT(refusal(), HasSubstr("summarize_wal was not on"));
  backups[0].summarize_wal = "on";
  backups[0].version = 160004;
  EXPECT_THAT(refusal(), HasSubstr("it is of PostgreSQL 16, the server runs 17"));
  backups[0].version = 170004;
  backups[0].systemid = "1";
  EXPECT_THAT(refusal(), HasSubstr("system identifier 1, the server's is 7711322697705067425"));
}

TEST_F(Parent, HasAChainThatIsThere) {
  backups.push_back(record("20260102T000000"));
  backups.back().parent_backup_id = backups.front().id;
  std::filesystem::remove(home.manifest(backups.front().id));
  EXPECT_THAT(refusal(), HasSubstr("it is built on backup 20260101T000000, whose manifest"));
  std::filesystem::remove_all(home.data(backups.front().id));
  EXPECT_THAT(refusal(), HasSubstr("the files of backup 20260101T000000 are gone"));
  backups.erase(backups.begin());
  EXPECT_THAT(refusal(), HasSubstr("backup 20260101T000000, which is missing"));
}

TEST_F(Parent, MayBeOfATimelineThatTheServerComesFrom) {
  facts.timeline = 3;
  history = "1\t0/3000000\tno recovery target specified\n2\t0/5000000\tno recovery target specified\n";
  EXPECT_NO_THROW(choose());
  history = "1\t0/2000050\tno recovery target specified\n";
  EXPECT_THAT(refusal(), HasSubstr("left that timeline at 0/2000050, before the backup's end at 0/2000100"));
  history = "2\t0/5000000\tno recovery target specified\n";
  EXPECT_THAT(refusal(), HasSubstr("which does not come from it"));
  backups[0].timeline = 4;
  EXPECT_THAT(refusal(), HasSubstr("it is of timeline 4, the server is on timeline 3"));
}

TEST_F(Parent, NeedsItsManifest) {
  const auto manifest = home.manifest(backups[0].id);
  std::string text = ScriptedBackup{}.manifest();
  text[text.find("7711")] = '8';
  os::write_file(manifest, text);
  EXPECT_THAT(refusal(ErrorKind::kCorrupt), HasSubstr("its own checksum is wrong"));
  std::filesystem::remove(manifest);
  EXPECT_THAT(refusal(), HasSubstr("backup_manifest is missing; take a full backup"));
}

TEST_F(Parent, HasAManifestOfTheSameCluster) {
  backups[0].systemid.reset();
  facts.system_identifier = "5";
  EXPECT_THAT(refusal(),
              HasSubstr("its manifest is of the cluster with system identifier 7711322697705067425"));
}

TEST_F(Parent, WithOtherPageChecksumsIsAWarning) {
  facts.settings["data_checksums"] = "off";
  EXPECT_EQ(choose().id.text, "20260101T000000");
  EXPECT_THAT(
      events.warnings,
      ElementsAre(HasSubstr("data_checksums is off on the server, but was on when backup 20260101T000000")));
}

// In a bucket.
class ParentInBucket : public Parent {
 protected:
  ParentInBucket() {
    home.meta = folder.path();
    home.backup_bucket = std::make_shared<BucketHome>("s3://b/x", "main", [this] { return bucket; });
    backups[0].tablespaces.push_back({.name = "ts", .oid = 16384, .location = "/srv/ts"});
    for (const char* name : {"data.tar.zst", "data_0001.tar.zst", "16384.tar.zst"}) {
      store::write_text(*bucket, "base/20260101T000000/" + std::string(name), "x");
    }
    fetch_manifest = [this](const BackupInfo& info, stream::Sink& into) {
      fetched.push_back(info.id.text);
      if (!is_there) return false;
      into.write(stream::bytes_of(ScriptedBackup{}.manifest()));
      return true;
    };
  }

  std::shared_ptr<store::MemoryStore> bucket = std::make_shared<store::MemoryStore>();
  std::vector<std::string> fetched;
  bool is_there = true;
};

TEST_F(ParentInBucket, ItsManifestComesFromThereIfThisHostHasNone) {
  EXPECT_EQ(choose().id.text, "20260101T000000");
  EXPECT_EQ(os::read_file(home.manifest(backups[0].id)), ScriptedBackup{}.manifest());
  choose();
  EXPECT_THAT(fetched, ElementsAre("20260101T000000"));
}

TEST_F(ParentInBucket, NeedsAManifest) {
  is_there = false;
  EXPECT_THAT(refusal(), HasSubstr("backup_manifest is missing; take a full backup"));
  EXPECT_FALSE(std::filesystem::exists(home.manifest(backups[0].id)));
}

TEST_F(ParentInBucket, NeedsAllItsArchives) {
  bucket->remove("base/20260101T000000/data.tar.zst");
  EXPECT_THAT(refusal(), HasSubstr("data.tar* of the backup is missing"));
  store::write_text(*bucket, "base/20260101T000000/data.tar.zst", "x");
  bucket->remove("base/20260101T000000/16384.tar.zst");
  EXPECT_THAT(refusal(), HasSubstr("16384.tar* of the backup is missing"));
}

TEST(IncrementalServer, IsOf17AndSummarizesWal) {
  ServerFacts facts;
  const auto refusal = [&]() -> std::string {
    try {
      require_incremental_server(facts, "main");
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  facts.version = 160004;
  facts.version_text = "16.4";
  EXPECT_THAT(refusal(), HasSubstr("need PostgreSQL 17 or later, server main runs 16.4"));
  facts.version = 170000;
  EXPECT_THAT(refusal(), HasSubstr("summarize_wal"));
  facts.settings["summarize_wal"] = "off";
  EXPECT_THAT(refusal(), HasSubstr("summarize_wal = on, server main has off"));
  facts.settings["summarize_wal"] = "on";
  EXPECT_EQ(refusal(), "none");
}

TEST(WalSummaries, HaveAGapWhereAStretchIsMissing) {
  using pgformat::Lsn;
  EXPECT_FALSE(find_gap({}, Lsn{100}));
  EXPECT_FALSE(
      find_gap({{.start = Lsn{50}, .end = Lsn{150}}, {.start = Lsn{150}, .end = Lsn{200}}}, Lsn{100}));
  EXPECT_FALSE(
      find_gap({{.start = Lsn{150}, .end = Lsn{200}}, {.start = Lsn{100}, .end = Lsn{150}}}, Lsn{100}));
  const auto first = find_gap({{.start = Lsn{120}, .end = Lsn{150}}}, Lsn{100});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->start, Lsn{100});
  EXPECT_EQ(first->end, Lsn{120});
  const auto middle =
      find_gap({{.start = Lsn{90}, .end = Lsn{110}}, {.start = Lsn{130}, .end = Lsn{150}}}, Lsn{100});
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->start, Lsn{110});
}

}  // namespace
}  // namespace barman::engine
