#include "engine/list_files/list_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/server/bucket_home.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class ListingFiles : public testing::Test {
 protected:
  ListingFiles() {
    home.server = "main";
    home.base = folder / "base";
    home.wals = folder / "wals";
    request.backup.id = {"20260101T000000"};
    request.backup.begin_wal = "000000010000000000000002";
    request.backup.end_wal = "000000010000000000000003";
    const fs::path data = home.data(request.backup.id);
    for (const char* below : {"base/5", "pg_notify"}) os::make_directories(data / below, 0700);
    os::make_directories(home.backup(request.backup.id) / "16384", 0700);
    for (const char* file : {"base/5/1", "base/z", "PG_VERSION", ".hidden"}) os::write_file(data / file, "");
    fs::create_symlink("/nowhere", data / "dangling");
    fs::create_directory_symlink(home.backup(request.backup.id) / "16384", data / "base/link");
    for (const char* name :
         {"00000002.history", "000000010000000000000001", "000000010000000000000002",
          "000000010000000000000002.00000028.backup", "000000010000000000000003", "000000010000000000000004",
          "000000010000000000000005", "000000010000000000000006.partial", "000000020000000000000005"}) {
      index.push_back({.name = name});
    }
  }

  std::vector<std::string> listed(ListTarget target) {
    request.target = target;
    std::vector<std::string> paths;
    list_files(home, request, index, [&](const fs::path& path) {
      EXPECT_TRUE(path.is_absolute());
      paths.push_back(path.lexically_relative(folder / "").string());
    });
    return paths;
  }

  os::TestFolder folder;
  Home home;
  ListRequest request;
  std::vector<catalog::WalEntry> index;
};

TEST_F(ListingFiles, NamesTheFilesOfADirectoryBeforeWhatIsBelow) {
  const std::string data = "base/20260101T000000/data/";
  EXPECT_THAT(listed(ListTarget::kData), ElementsAre(data + ".hidden", data + "PG_VERSION", data + "dangling",
                                                     data + "base/z", data + "base/5/1"));
}

TEST_F(ListingFiles, NamesEmptyDirectoriesIfAsked) {
  request.empty_directories = true;
  const auto all = listed(ListTarget::kData);
  EXPECT_THAT(all, testing::Contains("base/20260101T000000/16384"));
  EXPECT_THAT(all, testing::Contains("base/20260101T000000/data/pg_notify"));
  EXPECT_EQ(all.size(), 7U);
}

TEST_F(ListingFiles, AddsTheSegmentsThatMakeItConsistentWhetherThereOrNot) {
  const auto all = listed(ListTarget::kStandalone);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all[5], "wals/0000000100000000/000000010000000000000002");
  EXPECT_EQ(all[6], "wals/0000000100000000/000000010000000000000003");
}

TEST_F(ListingFiles, NamesWalUpToTheEndOfTheArchive) {
  EXPECT_THAT(listed(ListTarget::kWal),
              ElementsAre("wals/00000002.history", "wals/0000000100000000/000000010000000000000002",
                          "wals/0000000100000000/000000010000000000000003",
                          "wals/0000000100000000/000000010000000000000004",
                          "wals/0000000100000000/000000010000000000000005"));
}

TEST_F(ListingFiles, NamesWalUpToTheEndOfTheNextBackup) {
  request.next = request.backup;
  request.next->end_wal = "000000010000000000000004";
  EXPECT_EQ(listed(ListTarget::kWal).size(), 4U);
  EXPECT_EQ(listed(ListTarget::kFull).size(), 9U);
}

TEST_F(ListingFiles, NamesNoWalOfABackupThatHasNoRange) {
  request.backup.begin_wal.reset();
  index.erase(index.begin());
  EXPECT_THAT(listed(ListTarget::kWal), IsEmpty());
  EXPECT_EQ(listed(ListTarget::kStandalone).size(), 5U);
}

TEST_F(ListingFiles, NamesKeysOfABucket) {
  const auto bucket = std::make_shared<store::MemoryStore>();
  for (const char* key :
       {"base/20260101T000000/backup.info", "base/20260101T000000/data.tar", "base/20260102T000000/data.tar",
        "wals/0000000100000000/000000010000000000000002.zst", "wals/00000002.history"})
    store::write_text(*bucket, key, "");
  home.backup_bucket = home.wal_bucket = std::make_shared<BucketHome>(
      "s3://bucket/path", "main", [bucket] { return std::shared_ptr<store::Bucket>(bucket); });
  const auto keys = [&](ListTarget target) {
    request.target = target;
    std::vector<std::string> found;
    list_files(home, request, index, [&](const fs::path& path) { found.push_back(path); });
    return found;
  };
  EXPECT_THAT(
      keys(ListTarget::kStandalone),
      ElementsAre("path/main/base/20260101T000000/backup.info", "path/main/base/20260101T000000/data.tar",
                  "path/main/wals/0000000100000000/000000010000000000000002.zst",
                  "path/main/wals/0000000100000000/000000010000000000000003"));
  index = {{.name = "00000002.history"}, {.name = "000000010000000000000002"}};
  EXPECT_THAT(keys(ListTarget::kWal),
              ElementsAre("path/main/wals/00000002.history",
                          "path/main/wals/0000000100000000/000000010000000000000002.zst"));
}

}  // namespace
}  // namespace barman::engine
