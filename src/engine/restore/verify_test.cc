#include "engine/restore/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/restore/archive_fixture.h"
#include "os/tree.h"

namespace barman::engine {
namespace {

using codec::Compression;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClockOfVerifying final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::seconds(2000)); }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
};

class Verifying : public testing::Test {
 protected:
  Verifying() {
    fixture.add({{"base/5/1", relation_blocks("abc")}, {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(2, {{1, 'B'}})},
                 {"pg_tblspc/16384/PG_17/5/INCREMENTAL.9", increment_of(2, {{1, 'Q'}})}});
  }

  VerifyResult verify() {
    return verify_backup(fixture.home, {.chain = fixture.chain, .format = archives.format(), .jobs = 2},
                         clock, events, stop.get_token());
  }

  // Of the one member that has some.
  std::vector<std::string> problems() {
    const VerifyResult result = verify();
    if (result.damaged.size() != 1) return {};
    return result.damaged.front().problems;
  }

  void archive_both() {
    archives.archive(fixture, 0, {.stem = {}, .compression = Compression::kZstd});
    archives.archive(fixture, 1, {.stem = {}, .compression = Compression::kGzip, .encrypted = true});
  }

  ChainFixture fixture;
  ArchiveFixture archives;
  ClockOfVerifying clock;
  RecordedEvents events;
  std::stop_source stop;
};

TEST_F(Verifying, FindsNothingWrongWithAGoodChain) {
  const VerifyResult plain = verify();
  EXPECT_THAT(plain.damaged, IsEmpty());
  EXPECT_EQ(plain.files, 10U);
  archive_both();
  const VerifyResult archived = verify();
  EXPECT_THAT(archived.damaged, IsEmpty());
  EXPECT_EQ(archived.files, 10U);
}

TEST_F(Verifying, WritesNothing) {
  archive_both();
  const auto before = os::measure_tree(fixture.folder / "");
  (void)verify();
  EXPECT_EQ(os::measure_tree(fixture.folder / "").files, before.files);
}

TEST_F(Verifying, TellsEveryFileThatIsNotAsItShouldBe) {
  fixture.put(fixture.chain[0], "base/5/1", relation_blocks("abd"));
  fixture.put(fixture.chain[0], "base/5/strange", "");
  std::filesystem::remove(fixture.place(fixture.chain[0], "PG_VERSION"));
  const VerifyResult result = verify();
  ASSERT_EQ(result.damaged.size(), 1U);
  EXPECT_EQ(result.damaged[0].directory, fixture.home.data(fixture.chain[0].id));
  EXPECT_THAT(result.damaged[0].problems,
              testing::UnorderedElementsAre("\"base/5/1\" has another size or checksum than in the manifest",
                                            "\"base/5/strange\" is present on disk but not in the manifest",
                                            "\"PG_VERSION\" is present in the manifest but not on disk"));
}

TEST_F(Verifying, TellsTheSameOfArchives) {
  fixture.put(fixture.chain[1], "base/5/INCREMENTAL.1", increment_of(2, {{1, 'C'}}));
  archive_both();
  EXPECT_THAT(problems(),
              ElementsAre("\"base/5/INCREMENTAL.1\" has another size or checksum than in the manifest"));
}

TEST_F(Verifying, CountsWhatItDoesNotTell) {
  for (int i = 0; i < 120; ++i) fixture.put(fixture.chain[0], fmt::format("base/5/strange{}", i), "");
  const VerifyResult result = verify();
  ASSERT_EQ(result.damaged.size(), 1U);
  EXPECT_EQ(result.damaged[0].problems.size(), 100U);
  EXPECT_EQ(result.damaged[0].further, 20U);
}

TEST_F(Verifying, NamesAnArchiveThatWasCut) {
  archive_both();
  const auto place = fixture.home.data(fixture.chain[0].id) / "16384.tar.zst";
  std::filesystem::resize_file(place, std::filesystem::file_size(place) / 2);
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("16384.tar.zst")));
}

TEST_F(Verifying, NeedsAManifest) {
  std::filesystem::remove(fixture.home.data(fixture.chain[1].id) / "backup_manifest");
  EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr(fixture.chain[1].id.text), HasSubstr("is missing"))));
}

TEST_F(Verifying, SaysThatMembersDoNotBelongTogether) {
  fixture.chain.erase(fixture.chain.begin());
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("is no full backup")));
}

TEST_F(Verifying, EndsOnAStop) {
  archive_both();
  stop.request_stop();
  EXPECT_THROW((void)verify(), Error);
}

}  // namespace
}  // namespace barman::engine
