#include "engine/server/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

const catalog::Identity kFirst{.systemid = "7123456789012345678", .version = "15"};

TEST(IdentityFile, TheFirstOneStays) {
  const ScratchHome scratch;
  EXPECT_EQ(read_identity(scratch.home), std::nullopt);
  EXPECT_EQ(establish_identity(scratch.home, kFirst), kFirst);
  EXPECT_EQ(establish_identity(scratch.home, {.systemid = "1", .version = "17"}), kFirst);
  EXPECT_EQ(read_identity(scratch.home), kFirst);
}

TEST(IdentityFile, ADamagedOneIsNamedAndNeverReplaced) {
  const ScratchHome scratch;
  ScratchHome::write(scratch.home.identity, "{");
  try {
    (void)establish_identity(scratch.home, kFirst);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(e.what(), testing::HasSubstr(scratch.home.identity.native()));
  }
  EXPECT_EQ(ScratchHome::read(scratch.home.identity), "{");
}

}  // namespace
}  // namespace barman::engine
