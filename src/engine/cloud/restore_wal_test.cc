#include "engine/cloud/restore_wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/cloud/archive_wal.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using codec::Compression;
using testing::ElementsAre;
using testing::IsEmpty;

class CloudWalTest : public testing::Test {
 protected:
  void put(const std::string& name) { store::write_text(store, "wals/0000000100000000/" + name, name); }
  std::vector<std::string> chosen(const std::string& name, std::size_t count = 1, bool with_partial = true) {
    std::vector<std::string> names;
    for (const CloudWal& wal : choose_cloud_wal(store, name, count, with_partial)) {
      names.push_back(wal.key.substr(wal.key.rfind('/') + 1));
    }
    return names;
  }
  static std::string segment(unsigned number) { return "00000001000000000000000" + std::to_string(number); }

  store::MemoryStore store;
  os::TestFolder folder;
};

TEST_F(CloudWalTest, EveryCompressionComesBack) {
  const std::string text(100000, 'w');
  os::write_file(folder / segment(1), text);
  for (const auto kind : {Compression::kBzip2, Compression::kGzip, Compression::kLz4, Compression::kSnappy,
                          Compression::kXz, Compression::kZstd}) {
    store::MemoryStore one;
    archive_cloud_wal(one, folder / segment(1), {.compression = kind, .level = 3}, {});
    const auto wal = choose_cloud_wal(one, segment(1), 1, true);
    ASSERT_EQ(wal.size(), 1U);
    EXPECT_EQ(wal[0].compression, kind);
    fetch_cloud_wal(one, wal[0], folder / "back");
    EXPECT_EQ(os::read_file(folder / "back"), text);
  }
}

TEST_F(CloudWalTest, WhatIsNoWalIsNotStored) {
  os::write_file(folder / "notes", "text");
  EXPECT_THROW(archive_cloud_wal(store, folder / "notes", {}, {}), Error);
  EXPECT_THROW(archive_cloud_wal(store, folder / segment(1), {}, {}), Error);
  EXPECT_THAT(store.children(""), IsEmpty());
}

TEST_F(CloudWalTest, AWholeFileGoesBeforeAPartialOne) {
  put(segment(1) + ".partial");
  EXPECT_THAT(chosen(segment(1)), ElementsAre(segment(1) + ".partial"));
  EXPECT_THAT(chosen(segment(1), 1, false), IsEmpty());
  put(segment(1) + ".zst");
  EXPECT_THAT(chosen(segment(1)), ElementsAre(segment(1) + ".zst"));
  EXPECT_THAT(chosen(segment(1) + ".partial"), ElementsAre(segment(1) + ".partial"));
}

TEST_F(CloudWalTest, FollowingFilesComeAlong) {
  for (unsigned number : {1U, 2U, 3U, 5U}) put(segment(number) + ".gz");
  put(segment(2) + ".00000028.backup");
  put("something else");
  EXPECT_THAT(chosen(segment(2), 3), ElementsAre(segment(2) + ".gz", segment(3) + ".gz", segment(5) + ".gz"));
  EXPECT_THAT(chosen(segment(2), 2), ElementsAre(segment(2) + ".gz", segment(3) + ".gz"));
  EXPECT_THAT(chosen(segment(4), 3), IsEmpty());
  EXPECT_THAT(chosen(segment(2)), ElementsAre(segment(2) + ".gz"));
}

TEST_F(CloudWalTest, DamagedFilesAreNotDelivered) {
  store::write_text(store, "wals/0000000100000000/" + segment(1) + ".gz", "no gzip");
  const auto wal = choose_cloud_wal(store, segment(1), 1, true);
  EXPECT_THROW(fetch_cloud_wal(store, wal[0], folder / "back"), Error);
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST_F(CloudWalTest, TroubleWithTheOthersIsNoFailure) {
  put(segment(1));
  store::write_text(store, "wals/0000000100000000/" + segment(2) + ".gz", "no gzip");
  put(segment(3));
  const WalSpool spool(folder / "spool", "s3://b", "main");
  spool.make();
  fetch_with_others(store, choose_cloud_wal(store, segment(1), 3, true), folder / "back", spool, {});
  EXPECT_EQ(os::read_file(folder / "back"), segment(1));
  EXPECT_FALSE(spool.take(segment(2), folder / "second"));
  EXPECT_TRUE(spool.take(segment(3), folder / "third"));
  EXPECT_FALSE(spool.take(segment(3), folder / "again"));
  EXPECT_EQ(os::read_file(folder / "third"), segment(3));
}

TEST_F(CloudWalTest, ASpoolIsNotSharedByArchives) {
  const WalSpool one(folder / "spool", "s3://b", "main");
  one.make();
  os::write_file(one.place_of(segment(1)), "wal");
  EXPECT_FALSE(WalSpool(folder / "spool", "s3://b", "other").take(segment(1), folder / "x"));
  EXPECT_FALSE(WalSpool(folder / "spool", "s3://c", "main").take(segment(1), folder / "x"));
  EXPECT_TRUE(one.take(segment(1), folder / "x"));
}

}  // namespace
}  // namespace barman::engine
