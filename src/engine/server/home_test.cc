#include "engine/server/home.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/server/bucket_home.h"
#include "engine/server/open_bucket.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

class HomeTest : public testing::Test {
 protected:
  HomeTest() {
    server_.name = "main";
    set("backup_directory", "/home/main");
    set("basebackups_directory", "/home/main/base");
    set("wals_directory", "/home/main/wals");
    set("xlogdb_directory", "/home/main/wals");
  }
  void set(std::string_view option, const std::string& value) { server_.values.set(option, value, "test"); }
  Home home() {
    return home_of(server_, configuration_, [this](const config::Server&, const std::string& url) {
      opened_.push_back(url);
      return std::make_shared<store::MemoryStore>();
    });
  }

  config::Configuration configuration_{.main_file = "/etc/barman.conf"};
  config::Server server_;
  std::vector<std::string> opened_;
};

TEST_F(HomeTest, IsAFolder) {
  const Home home = this->home();
  EXPECT_EQ(home.base, "/home/main/base");
  EXPECT_EQ(home.xlogdb, "/home/main/wals/main-xlog.db");
  EXPECT_FALSE(home.backup_bucket || home.wal_bucket);
}

TEST_F(HomeTest, IsABucketThatIsOpenedWhenItIsUsed) {
  set("basebackups_directory", "s3://bucket/path");
  set("wals_directory", "s3://bucket/path");
  set("xlogdb_directory", "s3://bucket/path");
  const Home home = this->home();
  EXPECT_EQ(home.base, "");
  EXPECT_EQ(home.wals, "");
  EXPECT_EQ(home.xlogdb, "/home/main/meta/main-xlog.db");
  EXPECT_EQ(home.backup_bucket, home.wal_bucket);
  EXPECT_TRUE(opened_.empty());
  EXPECT_EQ(&home.backup_bucket->bucket(), &home.wal_bucket->bucket());
  EXPECT_EQ(opened_, std::vector<std::string>{"s3://bucket/path"});
  EXPECT_EQ(home.backup_bucket->full_key("base/x"), "path/main/base/x");
}

TEST_F(HomeTest, MayHaveItsWalInABucketAndItsIndexAnywhere) {
  set("wals_directory", "s3://bucket");
  set("xlogdb_directory", "/elsewhere");
  const Home home = this->home();
  EXPECT_EQ(home.base, "/home/main/base");
  EXPECT_FALSE(home.backup_bucket);
  EXPECT_EQ(home.xlogdb, "/elsewhere/main-xlog.db");
  EXPECT_EQ(home.wal_bucket->full_key("wals/x"), "main/wals/x");
}

TEST_F(HomeTest, ABucketThatCannotBeOpenedIsTriedAgainAndNamed) {
  int attempts = 0;
  BucketHome home("s3://bucket", "main", [&]() -> std::shared_ptr<store::Bucket> {
    if (++attempts == 1) throw Error(ErrorKind::kUsage, "no such profile");
    return std::make_shared<store::MemoryStore>();
  });
  try {
    (void)home.bucket();
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "opening s3://bucket: no such profile");
  }
  (void)home.bucket();
  EXPECT_EQ(attempts, 2);
}

TEST(UploadPartSize, MeetsNoLimitOfParts) {
  constexpr std::uint64_t kGi = 1ULL << 30U;
  EXPECT_EQ(upload_part_size(100 * kGi, 0), 11993088U);
  EXPECT_EQ(upload_part_size(200ULL << 20U, 0), 5U << 20U);
  EXPECT_EQ(upload_part_size(kGi, 6000000), 6000000U);
  EXPECT_EQ(upload_part_size(kGi, 64ULL << 20U), 64U << 20U);
}

}  // namespace
}  // namespace barman::engine
