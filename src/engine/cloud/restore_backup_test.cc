#include "engine/cloud/restore_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/expect_failure.h"
#include "codec/compress.h"
#include "codec/tar_writer.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/watched_bucket.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using codec::Compression;
using testing::HasSubstr;
using testing::IsEmpty;
using Files = std::vector<std::pair<std::string, std::string>>;

class CloudRestore : public testing::Test {
 protected:
  CloudRestore() {
    info_.tablespaces = {{.name = "far", .oid = 16385, .location = (folder_ / "unused").string()}};
    put({.stem = "data", .compression = Compression::kZstd}, {{"PG_VERSION", "17\n"}, {"base/1", "one"}});
    put({.stem = "data", .number = 1}, {{"backup_label", "label"}, {"global/pg_control", "control"}});
    put({.stem = "16385"}, {{"PG_17/5/9", "nine"}});
  }

  void put(const CloudArchiveName& name, const Files& files) {
    std::string stored;
    std::vector<stream::Stage> stages;
    if (name.compression) stages.push_back(codec::compress(*name.compression, 1, 1));
    const auto path = stream::chain(stages, std::make_unique<stream::AppendTo>(stored));
    codec::TarWriter tar(*path);
    for (const auto& [file, text] : files) {
      tar.begin_file(file, text.size(), {});
      tar.data(stream::bytes_of(text));
      tar.end_file();
    }
    tar.finish();
    path->finish();
    store::write_text(bucket_.objects, archive_key(info_.id, name), stored);
  }

  std::vector<CloudSeries> plan() {
    return plan_cloud_restore(bucket_, info_, data(), {{"far", folder_ / "far"}});
  }
  void restore() { restore_cloud_backup(bucket_, plan(), 4, {}); }

  [[nodiscard]] fs::path data() const { return folder_ / "data"; }

  os::TestFolder folder_;
  store::WatchedBucket bucket_;
  catalog::BackupInfo info_{.id = {"20260101T000000"}};
};

TEST_F(CloudRestore, AllArchivesComeToTheirFolders) {
  restore();
  EXPECT_EQ(os::read_file(data() / "base/1"), "one");
  EXPECT_EQ(os::read_file(data() / "backup_label"), "label");
  EXPECT_EQ(os::read_file(data() / "global/pg_control"), "control");
  EXPECT_EQ(os::read_file(data() / "pg_tblspc/16385/PG_17/5/9"), "nine");
  EXPECT_EQ(fs::read_symlink(data() / "pg_tblspc/16385"), folder_ / "far");
  EXPECT_TRUE(fs::is_directory(data() / "pg_wal"));
}

TEST_F(CloudRestore, WhatIsEncryptedIsForTheServer) {
  put({.stem = "data", .number = 2, .encrypted = true}, {});
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { restore(); }), HasSubstr("barman restore"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(CloudRestore, OnlyAnEmptyPlaceIsWrittenTo) {
  fs::create_directories(folder_ / "far/x");
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { restore(); }), HasSubstr("far already exists"));
  EXPECT_FALSE(fs::exists(data()));
}

TEST_F(CloudRestore, AnArchiveThatIsReplacedOrVanishesMeanwhileIsNotBelieved) {
  const std::string key = archive_key(info_.id, {.stem = "16385"});
  const auto series = plan();
  const std::string text = bucket_.text(key);
  const auto restored = [&] {
    fs::remove_all(data());
    fs::remove_all(folder_ / "far");
    return failure(ErrorKind::kCorrupt, [&] { restore_cloud_backup(bucket_, series, 4, {}); });
  };
  bucket_.before = [&](const std::string& request) {
    if (request == "GET " + key) store::write_text(bucket_.objects, key, text + "more");
  };
  EXPECT_THAT(restored(), HasSubstr("restoring " + key + ": it was replaced while it was read"));
  EXPECT_FALSE(fs::exists(data() / "global/pg_control"));
  store::write_text(bucket_.objects, key, text);
  bucket_.before = [&](const std::string& request) {
    if (request != "GET " + key) return;
    bucket_.objects.set_time(Time(std::chrono::hours(1)));
    store::write_text(bucket_.objects, key, text);  // of the same size
  };
  EXPECT_THAT(restored(), HasSubstr("restoring " + key + ": it was replaced while it was read"));
  bucket_.before = {};
  bucket_.objects.remove(key);
  EXPECT_THAT(restored(), HasSubstr("restoring " + key + ": it vanished from the bucket"));
  EXPECT_FALSE(fs::exists(data() / "global/pg_control"));
}

TEST_F(CloudRestore, AnArchiveThatWasCutIsNotBelieved) {
  const std::string key = archive_key(info_.id, {.stem = "data", .number = 1});
  store::write_text(bucket_.objects, key, bucket_.text(key).substr(0, 1024));
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { restore(); }), HasSubstr("restoring " + key));
  EXPECT_FALSE(fs::exists(data() / "global/pg_control"));
}

}  // namespace
}  // namespace barman::engine
