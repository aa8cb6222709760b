#include "engine/restore/manifest_in_bucket.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/restore/bucket_fixture.h"

namespace barman::engine {
namespace {

class ManifestsInABucket : public testing::Test {
 protected:
  ManifestsInABucket() {
    info.id.text = "20260101T000000";
    info.mode = "postgres";
  }

  // What is found with this archive as the only one; "none" if nothing is.
  std::string found_in(const std::string& tar, const BucketForm& form = {}) {
    bucket.clear();
    bucket.put(info, "data", 0, form, tar);
    const auto manifest =
        manifest_in_bucket(fixture.home, info, cloud_archives(*bucket.store, info), bucket.format());
    if (!manifest) return "none";
    std::string text;
    stream::AppendTo into(text);
    manifest->read(into);
    return text;
  }

  static std::string filler(std::size_t mebibytes) { return std::string(mebibytes << 20U, 'x'); }

  ChainFixture fixture;
  BucketFixture bucket{fixture};
  catalog::BackupInfo info;
};

TEST_F(ManifestsInABucket, AreFoundFarFromBothEnds) {
  TarText tar;
  tar.file("base/1/1", filler(17)).file("./backup_manifest", "the manifest").file("base/1/2", filler(3));
  EXPECT_EQ(found_in(tar.finish()), "the manifest");
}

TEST_F(ManifestsInABucket, ThatAreLongerThanTheEndThatIsReadAreFound) {
  const std::string text = filler(2);
  EXPECT_EQ(found_in(TarText().file("base/1/1", "x").file("backup_manifest", text).finish()), text);
}

// The original may put a file in while it is being written, and puts it in again when it is complete.
TEST_F(ManifestsInABucket, TheLastOfTwoCounts) {
  TarText tar;
  tar.file("backup_manifest", "the man").file("base/1/1", "x").file("./backup_manifest", "the manifest");
  EXPECT_EQ(found_in(tar.finish()), "the manifest");
}

TEST_F(ManifestsInABucket, AreFoundBehindEverythingElseThatIsCompressed) {
  TarText tar;
  tar.file("base/1/1", filler(1))
      .file("backup_manifest", "the manifest")
      .file("global/pg_control", "control");
  EXPECT_EQ(found_in(tar.finish(), {.compression = codec::Compression::kGzip, .encrypted = true}),
            "the manifest");
}

TEST_F(ManifestsInABucket, AreNotFoundWhereThereIsNone) {
  for (const bool compressed : {false, true}) {
    BucketForm form;
    if (compressed) form.compression = codec::Compression::kZstd;
    EXPECT_EQ(found_in(TarText().file("base/backup_manifest", "another").finish(), form), "none");
    EXPECT_EQ(found_in(TarText().symlink("backup_manifest", "/etc/passwd").finish(), form), "none");
  }
}

TEST_F(ManifestsInABucket, OfAnArchiveThatWasCutAreNotTaken) {
  TarText tar;
  tar.file("base/1/1", "x").file("backup_manifest", "the manifest");
  EXPECT_THROW((void)found_in(tar.unfinished().substr(0, 1024 + 515)), Error);
}

TEST_F(ManifestsInABucket, AreNotLookedForInBackupsOfOtherKindsFurtherThanTheFront) {
  info.mode = "rsync-concurrent";
  TarText far;
  far.file("base/1/1", filler(17)).file("backup_manifest", "the manifest").file("base/1/2", filler(2));
  EXPECT_EQ(found_in(far.finish()), "none");
  EXPECT_EQ(found_in(TarText().file("backup_manifest", "the manifest").file("base/1/1", filler(2)).finish()),
            "the manifest");
  info.mode = "local-to-cloud-concurrent";
  EXPECT_EQ(found_in(TarText().file("backup_manifest", "not of this backup").finish()), "none");
}

}  // namespace
}  // namespace barman::engine
