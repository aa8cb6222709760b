#include "engine/restore/final_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/restore/chain_fixture.h"

namespace barman::engine {
namespace {

using Use = FinalFiles::Use;
using testing::HasSubstr;

class Final : public testing::Test {
 protected:
  FinalFiles files() {
    std::vector<KeptManifest> manifests;
    std::vector<std::string> names;
    for (const auto& info : fixture.chain) {
      manifests.push_back(*manifest_on_disk(fixture.home.manifest(info.id)));
      names.push_back(info.id.text);
    }
    return {manifests, names};
  }

  std::string failure() {
    try {
      files();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
      return e.what();
    }
    return "none";
  }

  ChainFixture fixture;
  std::string change = increment_of(1, {});
};

TEST_F(Final, AreThoseOfTheLastMemberEachFromItsNewestWholeCopy) {
  fixture.add({{"base/5/1", "a"}, {"base/5/2", "b"}, {"base/5/dropped", "c"}});
  fixture.add({{"base/5/INCREMENTAL.1", change}, {"base/5/2", "B"}, {"base/5/dropped", "c"}});
  fixture.add({{"base/5/INCREMENTAL.1", change}, {"base/5/INCREMENTAL.2", change}, {"base/5/new", "n"}});
  const FinalFiles final = files();
  EXPECT_EQ(final.use(0, "base/5/1"), Use::kWhole);
  EXPECT_EQ(final.use(1, "base/5/INCREMENTAL.1"), Use::kChange);
  EXPECT_EQ(final.use(2, "base/5/INCREMENTAL.1"), Use::kChange);
  EXPECT_EQ(final.use(0, "base/5/2"), Use::kNone) << "the second member brings it whole";
  EXPECT_EQ(final.use(1, "base/5/2"), Use::kWhole);
  EXPECT_EQ(final.use(2, "base/5/INCREMENTAL.2"), Use::kChange);
  for (const std::size_t member : {0U, 1U}) EXPECT_EQ(final.use(member, "base/5/dropped"), Use::kNone);
  EXPECT_EQ(final.use(2, "base/5/new"), Use::kWhole);
  EXPECT_EQ(final.use(0, "global/pg_control"), Use::kNone);
  EXPECT_EQ(final.use(2, "global/pg_control"), Use::kWhole);
  EXPECT_EQ(final.use(0, "base/5/INCREMENTAL.1"), Use::kNone);
  EXPECT_EQ(final.use(1, "base/5/1"), Use::kNone);
  EXPECT_EQ(final.count(), 6U);
  EXPECT_EQ(final.place("base/5/INCREMENTAL.1"), final.place("base/5/1"));
  EXPECT_FALSE(final.place("base/5/dropped"));
}

TEST_F(Final, HaveASummaryOfTheLastManifest) {
  fixture.add({});
  fixture.add({});
  const FinalFiles final = files();
  EXPECT_EQ(final.last(), 1U);
  EXPECT_EQ(final.last_summary().system_identifier, 7711U);
  ASSERT_EQ(final.last_summary().wal_ranges.size(), 1U);
  EXPECT_EQ(final.last_summary().wal_ranges[0].start, fixture.chain[1].begin_xlog);
}

TEST_F(Final, AChangeWithoutTheFileInTheMemberBeforeIsNamed) {
  fixture.add({{"base/5/1", "a"}});
  fixture.add({});
  fixture.add({{"base/5/INCREMENTAL.1", change}});
  EXPECT_THAT(
      failure(),
      HasSubstr(
          "backup 20260103T000000 has base/5/INCREMENTAL.1, but backup 20260102T000000 has no base/5/1"));
}

TEST_F(Final, AChainThatDoesNotBeginWithAFullBackupIsNoChain) {
  fixture.add({{"base/5/INCREMENTAL.1", change}});
  fixture.add({{"base/5/INCREMENTAL.1", change}});
  EXPECT_THAT(failure(), HasSubstr("backup 20260101T000000 is no full backup"));
}

TEST_F(Final, ADamagedManifestIsNamed) {
  fixture.add({{"base/5/1", "a"}});
  fixture.add({{"base/5/INCREMENTAL.1", change}});
  fixture.put(fixture.chain[0], "backup_manifest", "{}");
  EXPECT_THAT(failure(), HasSubstr("20260101T000000/data/backup_manifest"));
}

}  // namespace
}  // namespace barman::engine
