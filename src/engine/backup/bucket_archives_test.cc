#include "engine/backup/bucket_archives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "engine/backup/scripted_backup.h"
#include "engine/backup/streaming.h"
#include "engine/recorded_events.h"
#include "engine/server/copy_stats.h"
#include "engine/server/withdraw_backup.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/watched_bucket.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const catalog::BackupId kId{"20261122T133001"};
const std::string kFolder = "base/20261122T133001/";

ScriptedBackup for_a_bucket() {
  ScriptedBackup backup;
  backup.archives.push_back({.tablespace = {.oid = "16384", .location = "/srv/ts1"}, .tar = {}});
  backup.archives.back().tar += tar_header("PG_17_1", '5', 0);
  backup.add("PG_17_1/77", std::string(30'000, 't'));
  backup.archives.push_back({.tablespace = {.oid = "", .location = ""}, .tar = {}});
  backup.add("backup_label", "label\n");
  backup.archives.back().tar += tar_header("base", '5', 0) + tar_header("./pg_wal/", '5', 0) +
                                tar_header("pg_tblspc", '5', 0) +
                                tar_header("pg_tblspc/16384", '2', 0, "/srv/ts1");
  backup.add("base/1", std::string(100'000, 'x'));
  backup.add("base/INCREMENTAL.2", "blocks");
  backup.add("base/empty", "");
  backup.add("global/pg_control", std::string(8192, 'c'));
  return backup;
}

// The entries of an archive: "name" or "name/", and what files hold.
class Members final : public codec::TarReceiver {
 public:
  void begin(const codec::TarEntry& entry) override {
    EXPECT_NE(entry.kind, codec::TarEntry::Kind::kSymlink);
    const bool is_folder = entry.kind == codec::TarEntry::Kind::kDirectory;
    found.emplace_back(entry.path + (is_folder ? "/" : ""), "");
    last = entry;
  }
  void data(stream::Bytes bytes) override { found.back().second += stream::text_of(bytes); }
  void end() override {}

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, text] : found) names.push_back(name);
    return names;
  }

  std::vector<std::pair<std::string, std::string>> found;
  codec::TarEntry last;
};

class InBucket : public testing::Test {
 protected:
  StreamingOutcome take() {
    BucketArchives archives({.bucket = bucket, .id = kId, .manifest = manifest, .clock = clock}, form);
    StreamingOutcome outcome = copy_by_streaming(copy, archives, connector, clock, events, stop.get_token());
    stored = archives.stored_bytes();
    times = archives.times();
    return outcome;
  }

  std::string failure() {
    try {
      take();
    } catch (const Error& e) {
      return e.what();
    }
    return "no failure";
  }

  Members members(const std::string& name, const stream::Stage& unpack = {}) {
    Members receiver;
    std::unique_ptr<stream::Sink> reader = std::make_unique<codec::TarReader>(receiver);
    if (unpack) reader = unpack(std::move(reader));
    reader->write(stream::bytes_of(bucket.text(kFolder + name)));
    reader->finish();
    return receiver;
  }

  os::TestFolder folder;
  store::WatchedBucket bucket;
  std::filesystem::path manifest = folder.path() / "meta-backup_manifest";
  TarSeriesForm form;
  StreamingCopy copy{.conninfo = "host=x",
                     .application_name = "barman_streaming_backup",
                     .label = "Barman backup main X",
                     .pause = std::chrono::seconds(0)};
  ScriptedBackup backup = for_a_bucket();
  ScriptedConnector connector{backup};
  SystemClock clock;
  RecordedEvents events;
  std::stop_source stop;
  std::uint64_t stored = 0;
  std::map<std::string, std::chrono::duration<double>> times;
};

TEST_F(InBucket, GetsAnArchiveForTheDataAndOneForEachTablespace) {
  const StreamingOutcome outcome = take();
  EXPECT_THAT(bucket.keys(),
              ElementsAre(kFolder + "16384.tar", kFolder + "backup_manifest", kFolder + "data.tar"));
  EXPECT_THAT(members("16384.tar").found,
              ElementsAre(Pair("PG_17_1/", ""), Pair("PG_17_1/77", std::string(30'000, 't'))));
  const Members data = members("data.tar");
  EXPECT_THAT(data.names(),
              ElementsAre("backup_label", "base/", "pg_wal/", "pg_tblspc/", "base/1", "base/INCREMENTAL.2",
                          "base/empty", "global/pg_control", "backup_manifest"));
  EXPECT_EQ(data.found[4].second, std::string(100'000, 'x'));
  EXPECT_EQ(data.found.back().second, backup.manifest());
  EXPECT_EQ(bucket.text(kFolder + "backup_manifest"), backup.manifest());
  EXPECT_EQ(os::read_file(manifest), backup.manifest());
  EXPECT_EQ(outcome.label, "label\n");
  EXPECT_EQ(outcome.files, 6U);
  EXPECT_EQ(stored, bucket.text(kFolder + "data.tar").size() + bucket.text(kFolder + "16384.tar").size());
  EXPECT_EQ(times.size(), 2U);
  EXPECT_TRUE(times.contains("data") && times.contains("16384"));
}

TEST_F(InBucket, KeepsWhatTheServerSaysOfAFile) {
  Members label;
  codec::TarReader reader(label);
  reader.write(stream::bytes_of(backup.archives[1].tar).first(1024));
  take();
  const std::string stored_label = bucket.text(kFolder + "data.tar").substr(512, 1024);
  Members again;
  codec::TarReader second(again);
  second.write(stream::bytes_of(stored_label));
  EXPECT_EQ(again.last.mode, label.last.mode);
  EXPECT_EQ(again.last.modified, 1'700'000'000);
}

TEST_F(InBucket, BeginsWithTheFolderItselfSoThatTarMakesItPrivate) {
  take();
  for (const char* name : {"data.tar", "16384.tar"}) {
    const std::string root = bucket.text(kFolder + name).substr(0, 512);
    EXPECT_EQ(root.substr(0, 3), std::string("./\0", 3)) << name;
    EXPECT_EQ(root.substr(100, 7), "0000700") << name;
    EXPECT_EQ(root[156], '5') << name;
  }
}

TEST_F(InBucket, BeginsAnotherArchiveBetweenTwoMembers) {
  form.most_bytes = 50'000;
  take();
  EXPECT_THAT(members("data.tar").names(),
              ElementsAre("backup_label", "base/", "pg_wal/", "pg_tblspc/", "base/1"));
  EXPECT_THAT(members("data_0001.tar").names(),
              ElementsAre("base/INCREMENTAL.2", "base/empty", "global/pg_control", "backup_manifest"));
}

TEST_F(InBucket, ArrivingByteByByteMakesNoDifference) {
  take();
  const std::string whole = bucket.text(kFolder + "16384.tar");
  backup.chunk = 1;
  take();
  EXPECT_EQ(bucket.text(kFolder + "16384.tar"), whole);
}

TEST_F(InBucket, WhatTheServerCompressedIsMadeAnew) {
  using codec::Compression;
  copy.server_compression = ServerCompression{.kind = Compression::kGzip, .detail = ""};
  for (auto& archive : backup.archives) {
    std::string packed;
    const auto path = codec::compress(Compression::kGzip, 1, 1)(std::make_unique<stream::AppendTo>(packed));
    path->write(stream::bytes_of(archive.tar));
    path->finish();
    archive.tar = packed;
  }
  form.compression = Compression::kZstd;
  form.stages = {codec::compress(Compression::kZstd, 1, 1)};
  take();
  EXPECT_EQ(members("data.tar.zst", codec::decompress(Compression::kZstd)).names().back(), "backup_manifest");
  EXPECT_EQ(stored,
            bucket.text(kFolder + "data.tar.zst").size() + bucket.text(kFolder + "16384.tar.zst").size());
}

TEST_F(InBucket, ATablespaceInPlaceIsPartOfTheData) {
  backup.archives.insert(backup.archives.begin(),
                         {.tablespace = {.oid = "16500", .location = "pg_tblspc/16500"},
                          .tar = tar_header("PG_17_1", '5', 0) + tar_file("PG_17_1/5", "five")});
  backup.list("pg_tblspc/16500/PG_17_1/5", "five");
  EXPECT_EQ(take().tablespaces.size(), 1U);
  EXPECT_THAT(members("data.tar").found[1], Pair("pg_tblspc/16500/PG_17_1/5", "five"));
}

TEST_F(InBucket, WhatIsDamagedOnTheWayDoesNotBecomeTheData) {
  const ScriptedBackup good = backup;
  const auto damage = [&](auto change) {
    backup = good;
    change();
    EXPECT_NE(failure(), "no failure");
    EXPECT_EQ(bucket.text(kFolder + "data.tar"), "(none)");
    EXPECT_EQ(bucket.text(kFolder + "backup_manifest"), "(none)");
  };
  damage([&] { backup.archives[1].tar[backup.archives[1].tar.find("xxxx") + 5] = 'y'; });
  damage([&] { backup.archives[0].tar[backup.archives[0].tar.find("tttt") + 5] = 'y'; });
  damage([&] { backup.archives[1].tar.resize(backup.archives[1].tar.size() - 1000); });
  damage([&] { backup.archives[1].tar += tar_file("base/extra", "x"); });
  damage([&] { backup.archives[1].tar += tar_file("../evil", "x"); });
  damage([&] { backup.archives[1].tar += tar_header("base/link", '2', 0, "/etc"); });
  damage([&] { backup.list("base/2", "missing"); });
}

TEST_F(InBucket, AFailureOfTheServerAtAnyStepIsMadeGoodByAnotherAttempt) {
  copy.retries = 1;
  for (int step = 0;; ++step) {
    connector.attempts = 0;
    connector.fail_at = step;
    take();
    EXPECT_THAT(bucket.keys(),
                ElementsAre(kFolder + "16384.tar", kFolder + "backup_manifest", kFolder + "data.tar"))
        << step;
    EXPECT_EQ(members("data.tar").found.back().second, backup.manifest());
    if (connector.attempts == 1) {
      EXPECT_GT(step, 20);
      return;
    }
  }
}

TEST_F(InBucket, AnotherAttemptLeavesNothingOfTheOneBefore) {
  copy.retries = 1;
  form.most_bytes = 1000;
  store::write_text(bucket.objects, kFolder + "backup.info", "record");
  store::write_text(bucket.objects, kFolder + "data_0007.tar", "of the attempt before");
  connector.fail_at = 8;
  take();
  EXPECT_EQ(bucket.text(kFolder + "data_0007.tar"), "(none)");
  EXPECT_EQ(bucket.text(kFolder + "backup.info"), "record");
}

TEST_F(InBucket, AFailureOfTheStoreAtAnyStepComesOutAndIsTakenBack) {
  store::write_text(bucket.objects, kFolder + "backup.info", "record");
  bucket.stays_away = true;
  for (int step = 0;; ++step) {
    bucket.steps = 0;
    bucket.fail_at = step;
    if (failure() == "no failure") {
      EXPECT_GT(step, 10);
      return;
    }
    bucket.fail_at = -1;
    withdraw_backup(bucket, kId);
    EXPECT_THAT(bucket.keys(), ElementsAre(kFolder + "backup.info")) << step;
  }
}

TEST_F(InBucket, AStoreThatWasAwayForAMomentIsTriedAgain) {
  copy.retries = 1;
  bucket.fail_at = 12;
  take();
  EXPECT_EQ(connector.attempts, 2);
  EXPECT_EQ(members("data.tar").found.back().second, backup.manifest());
}

TEST_F(InBucket, AStopIsHeard) {
  stop.request_stop();
  EXPECT_THAT(failure(), HasSubstr("stopped"));
  EXPECT_THAT(bucket.keys(), IsEmpty());
}

TEST(CopyStats, AreThoseOfTheOriginal) {
  using std::chrono::duration;
  EXPECT_EQ(cloud_copy_stats({{"16384", duration<double>(0.5)}, {"data", duration<double>(2)}},
                             duration<double>(3.25), 4),
            "{'total_time': 3.25, 'number_of_workers': 4, 'analysis_time': 0, 'analysis_time_per_item': "
            "{'16384': 0, 'data': 0}, 'copy_time_per_item': {'16384': 0.5, 'data': 2.0}, "
            "'serialized_copy_time_per_item': {'16384': 0.5, 'data': 2.0}, 'copy_time': 3.25, "
            "'serialized_copy_time': 2.5}");
}

}  // namespace
}  // namespace barman::engine
