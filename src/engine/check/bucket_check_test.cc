#include "engine/check/bucket_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/server/scratch_bucket.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BucketCheckTest : public testing::Test {
 protected:
  BucketCheckTest() { scratch_.home().wal_bucket = scratch_.home().backup_bucket; }

  // Requests of this kind fail.
  void refuse(const std::string& beginning) {
    scratch_.bucket->before = [beginning](const std::string& request) {
      if (request.starts_with(beginning)) throw Error(ErrorKind::kFailed, "AccessDenied");
    };
  }
  std::string failure() {
    try {
      (void)try_buckets(scratch_.home());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  ScratchBucket scratch_;
};

TEST_F(BucketCheckTest, BothPlacesAreTriedAndNothingIsLeft) {
  const auto trial = try_buckets(scratch_.home());
  EXPECT_EQ(trial.problem + trial.remark, "");
  EXPECT_THAT(scratch_.bucket->keys(), IsEmpty());
  EXPECT_THAT(scratch_.bucket->requests(), testing::Contains(HasSubstr("PUT base/.barman-check-")));
  EXPECT_THAT(scratch_.bucket->requests(), testing::Contains(HasSubstr("PUT wals/.barman-check-")));
}

TEST_F(BucketCheckTest, WhatIsRefusedIsSaidWithThePlace) {
  refuse("PUT wals/");
  EXPECT_EQ(failure(), "WAL: AccessDenied");
  refuse("GET base/");
  EXPECT_EQ(failure(), "base backups: AccessDenied");
}

TEST_F(BucketCheckTest, ABucketOfWhichNothingCanBeRemovedIsGoodForBackups) {
  refuse("DELETE");
  EXPECT_EQ(try_buckets(scratch_.home()).problem, "");
  EXPECT_EQ(try_buckets(scratch_.home()).remark, "what is stored cannot be removed: AccessDenied");
}

TEST_F(BucketCheckTest, AnInactiveServerOnlyLists) {
  scratch_.home().is_active = false;
  EXPECT_EQ(try_buckets(scratch_.home()).problem, "");
  EXPECT_THAT(scratch_.bucket->requests(), ElementsAre("HEAD ", "LIST base", "HEAD ", "LIST wals"));
}

}  // namespace
}  // namespace barman::engine
