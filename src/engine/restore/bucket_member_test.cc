#include "engine/restore/bucket_member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/restore/bucket_fixture.h"
#include "engine/restore/restoring_chains.h"
#include "engine/restore/verify.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using codec::Compression;
using testing::HasSubstr;

class RestoringFromABucket : public ChainRestoreTest {
 protected:
  RestoringFromABucket() {
    request.wal_format = bucket.format();
    add_full();
  }

  // Another full backup, and nothing restored.
  void start_anew() {
    bucket.clear();
    fixture.chain.clear();
    fs::remove_all(request.destination);
    fs::remove_all(fixture.folder / "to-far");
    request.delta = false;
    add_full();
  }
  void add_full() {
    fixture.add({{"base/5/1", relation_blocks("abc")},
                 {"tablespace_map", "16384 /far\n"},
                 {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
  }
  void add_increment() {
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(2, {{1, 'B'}})},
                 {"pg_tblspc/16384/PG_17/5/9", relation_blocks("PQ")}});
  }
  // A backup that came without a manifest, as barman-cloud-backup takes them.
  void upload_without_manifest(const BucketForm& form = {.manifest = ManifestIs::kNowhere}) {
    fixture.chain[0].mode = std::nullopt;
    bucket.upload(0, form);
  }
  [[nodiscard]] const catalog::BackupInfo& full() const { return fixture.chain[0]; }
  [[nodiscard]] std::string object(const std::string& key) {
    return store::read_text(*bucket.store, key).value_or("(none)");
  }

  // The whole destination is as the backup has it.
  void expect_full_backup() {
    EXPECT_EQ(restored("base/5/1"), relation_blocks("abc"));
    EXPECT_EQ(os::read_file(fixture.folder / "to-far/PG_17/5/9"), relation_blocks("pq"));
    EXPECT_EQ(fs::read_symlink(restored_file("pg_tblspc/16384")), fixture.folder / "to-far");
    EXPECT_EQ(restored("global/pg_control"), "control 0");
    EXPECT_TRUE(fs::is_directory(restored_file("pg_notify")));
    EXPECT_FALSE(fs::exists(restored_file("tablespace_map")));
    EXPECT_FALSE(fs::exists(restored_file(".barman-restore-incomplete")));
  }

  BucketFixture bucket{fixture};
};

TEST_F(RestoringFromABucket, BringsBackEveryForm) {
  for (const auto kind :
       {std::optional<Compression>{}, std::optional(Compression::kGzip), std::optional(Compression::kLz4),
        std::optional(Compression::kZstd), std::optional(Compression::kBzip2),
        std::optional(Compression::kXz), std::optional(Compression::kSnappy)}) {
    for (const bool encrypted : {false, true}) {
      start_anew();
      bucket.upload(0, {.compression = kind, .encrypted = encrypted, .entries = 2});
      EXPECT_EQ(restore().checked_files, 5U);
      expect_full_backup();
      EXPECT_EQ(restored("backup_manifest." + full().id.text), object(manifest_key(full().id)));
    }
  }
}

TEST_F(RestoringFromABucket, TakesArchivesAsTheOriginalMakesThem) {
  for (const std::size_t entries : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    start_anew();
    bucket.upload(0, {.manifest = ManifestIs::kLastMember, .as_original = true, .entries = entries});
    EXPECT_EQ(restore().checked_files, 5U);
    expect_full_backup();
  }
}

TEST_F(RestoringFromABucket, FilesThatAllArchivesHaveComeBackWhoeverIsFirst) {
  constexpr unsigned kArchives = 6;
  constexpr int kFiles = 100;
  TarText tar;
  ChainFixture::Files files{{"base/5/1", relation_blocks("abc")},
                            {"tablespace_map", "16384 /far\n"},
                            {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}};
  for (int number = 0; number < kFiles; ++number) {
    const std::string path = fmt::format("base/6/{}", number);
    files.emplace(path, path);
    tar.file(path, path);
  }
  fixture.chain.clear();
  fixture.add(files);
  bucket.upload(0);
  const std::string same = tar.finish();
  for (unsigned number = 1; number < kArchives; ++number) bucket.put(full(), "data", number, {}, same);
  request.jobs = kArchives;
  EXPECT_EQ(restore().checked_files, 5U + kFiles);
  expect_full_backup();
  for (int number = 0; number < kFiles; ++number) {
    const std::string path = fmt::format("base/6/{}", number);
    EXPECT_EQ(restored(path), path);
  }
}

TEST_F(RestoringFromABucket, FindsTheManifestWhereverItIs) {
  for (const auto where :
       {ManifestIs::kObject, ManifestIs::kFile, ManifestIs::kFirstMember, ManifestIs::kLastMember}) {
    for (const auto kind : {std::optional<Compression>{}, std::optional(Compression::kZstd)}) {
      start_anew();
      const auto plain = fixture.home.data(full().id) / "backup_manifest";
      const std::string manifest = *os::read_file(plain);
      bucket.upload(0, {.compression = kind, .manifest = where});
      const OpenMember member = open_member(fixture.home, full(), {});
      ASSERT_TRUE(member.manifest);
      std::string text;
      stream::AppendTo into(text);
      member.manifest->read(into);
      member.manifest->read(into);
      EXPECT_EQ(text, manifest + manifest);
    }
  }
}

TEST_F(RestoringFromABucket, AppliesChainsOfAnyMix) {
  add_increment();
  add_increment();
  bucket.upload(0, {.compression = Compression::kGzip, .encrypted = true});
  bucket.upload(1, {.manifest = ManifestIs::kLastMember, .as_original = true});
  bucket.upload(2, {.compression = Compression::kZstd});
  restore();
  EXPECT_EQ(restored("base/5/1"), relation_blocks("aB"));
  EXPECT_EQ(os::read_file(fixture.folder / "to-far/PG_17/5/9"), relation_blocks("PQ"));
  EXPECT_EQ(restored("global/pg_control"), "control 2");
}

TEST_F(RestoringFromABucket, NeedsAManifestOnlyWhereTheBackupCameWithOne) {
  bucket.upload(0, {.manifest = ManifestIs::kNowhere});
  EXPECT_THAT(failure(), HasSubstr("has no manifest (path/main/base/20260101T000000/backup_manifest)"));
  EXPECT_FALSE(fs::exists(request.destination));
  request.verify = false;
  EXPECT_EQ(restore().checked_files, 0U);
  expect_full_backup();
}

TEST_F(RestoringFromABucket, TakesABackupThatCameWithoutAManifest) {
  for (const auto kind : {std::optional<Compression>{}, std::optional(Compression::kGzip)}) {
    start_anew();
    fixture.chain[0].mode = "local-to-cloud-concurrent";
    bucket.upload(0, {.compression = kind, .manifest = ManifestIs::kNowhere, .entries = 2});
    restore();
    expect_full_backup();
    EXPECT_FALSE(fs::exists(restored_file("backup_manifest")));
  }
}

TEST_F(RestoringFromABucket, TakesNoManifestOfTheDataDirectoryForThatOfTheBackup) {
  upload_without_manifest({.manifest = ManifestIs::kFirstMember});
  EXPECT_FALSE(open_member(fixture.home, full(), {}).manifest);
  restore();
  expect_full_backup();
}

TEST_F(RestoringFromABucket, TheLastOfTwoFilesOfANameStays) {
  upload_without_manifest();
  bucket.put(full(), "data", 0, {},
             TarText()
                 .file("x", "the first, which is longer")
                 .file("./backup_label", "label")
                 .file("./global/pg_control", "control")
                 .file("./x", "the last")
                 .finish());
  restore();
  EXPECT_EQ(restored("x"), "the last");
  EXPECT_EQ(restored("global/pg_control"), "control");
}

TEST_F(RestoringFromABucket, KnowsHowMuchRoomIsNeeded) {
  std::vector<RestoreFolder> folders = {{.to = "/to"}, {.to = "/far", .oid = 16384}};
  bucket.upload(0, {.compression = Compression::kZstd});
  (void)plan_chain(fixture.home, fixture.chain, true, folders);
  EXPECT_EQ(folders[1].bytes, 2U * 8192);
  EXPECT_GT(folders[0].bytes, 3U * 8192);
}

TEST_F(RestoringFromABucket, EstimatesTheRoomForABackupWithoutManifest) {
  upload_without_manifest();
  std::vector<RestoreFolder> folders = {{.to = "/to"}, {.to = "/far", .oid = 16384}};
  const ChainPlan plan = plan_chain(fixture.home, fixture.chain, true, folders);
  EXPECT_EQ(folders[0].bytes, bucket.store->stat(bucket.key(full(), "data"))->size);
  EXPECT_EQ(folders[1].bytes, bucket.store->stat(bucket.key(full(), "16384"))->size);
  EXPECT_EQ(plan.bytes, folders[0].bytes + folders[1].bytes);
}

TEST_F(RestoringFromABucket, TakesTheSizeOfTheClusterForCompressedArchives) {
  fixture.chain[0].cluster_size = 1000000;
  upload_without_manifest({.compression = Compression::kZstd, .manifest = ManifestIs::kNowhere});
  std::vector<RestoreFolder> folders = {{.to = "/to"}, {.to = "/far", .oid = 16384}};
  (void)plan_chain(fixture.home, fixture.chain, true, folders);
  EXPECT_NEAR(static_cast<double>(folders[0].bytes + folders[1].bytes), 1e6, 2);
  EXPECT_GT(folders[1].bytes, 1000U);
}

TEST_F(RestoringFromABucket, NamesAMissingArchiveBeforeAnythingIsWritten) {
  bucket.upload(0, {.entries = 2});
  const std::string lost = bucket.key(full(), "data", 1);
  ASSERT_TRUE(bucket.store->remove(lost));
  EXPECT_THAT(failure(), HasSubstr(lost));
  ASSERT_TRUE(bucket.store->remove(bucket.key(full(), "16384")));
  EXPECT_THAT(failure(), HasSubstr("is missing in the bucket"));
  EXPECT_FALSE(fs::exists(request.destination));
}

TEST_F(RestoringFromABucket, RefusesTwoArchivesOfTheSame) {
  bucket.upload(0);
  store::write_text(*bucket.store, bucket.key(full(), "data") + ".gz", "");
  EXPECT_THAT(failure(), HasSubstr("should be the same"));
}

TEST_F(RestoringFromABucket, MissesTheLastArchiveOfABackupWithoutManifest) {
  upload_without_manifest({.manifest = ManifestIs::kNowhere, .entries = 3});
  unsigned last = 0;
  while (bucket.store->stat(bucket.key(full(), "data", last + 1))) ++last;
  ASSERT_TRUE(bucket.store->remove(bucket.key(full(), "data", last)));
  EXPECT_THAT(failure(), HasSubstr("global/pg_control of backup 20260101T000000 is missing"));
  EXPECT_FALSE(can_be_started());

  fixture.chain[0].mode = "local-to-cloud-concurrent";
  fixture.chain[0].size = 1000000;
  fs::remove_all(request.destination);
  EXPECT_THAT(failure(), HasSubstr("1000000 were stored: one is missing or cut"));
  EXPECT_FALSE(fs::exists(request.destination));
}

TEST_F(RestoringFromABucket, NamesAnArchiveThatWasCut) {
  for (const auto kind : {std::optional<Compression>{}, std::optional(Compression::kZstd)}) {
    const BucketForm form{.compression = kind, .manifest = ManifestIs::kNowhere};
    for (int parts = 0; parts < 8; ++parts) {
      start_anew();
      upload_without_manifest(form);
      const std::string key = BucketFixture::key(full(), "data", 0, form);
      std::string text = object(key);
      const std::size_t unpadded = text.find_last_not_of('\0');
      text.resize(unpadded * static_cast<std::size_t>(parts) / 8);
      store::write_text(*bucket.store, key, text);
      EXPECT_THAT(failure(), HasSubstr(key)) << parts;
      EXPECT_FALSE(can_be_started());
    }
  }
}

TEST_F(RestoringFromABucket, TakesNoArchiveWithoutItsEndForAWholeOne) {
  upload_without_manifest();
  TarText tar;
  tar.file("backup_label", "label").file("global/pg_control", "control");
  bucket.put(full(), "data", 0, {}, tar.unfinished());
  EXPECT_THAT(failure(), HasSubstr("cut short"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringFromABucket, NamesTheFileWhoseBytesAreOthers) {
  fixture.put(full(), "base/5/1", relation_blocks("abd"));
  bucket.upload(0, {.compression = Compression::kZstd});
  const std::string message = failure();
  EXPECT_THAT(message, HasSubstr("path/main/base/20260101T000000/data.tar.zst"));
  EXPECT_THAT(message, HasSubstr("base/5/1 of backup 20260101T000000 is damaged"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringFromABucket, ASecondCopyOfAFileMustBeRightAsWell) {
  bucket.upload(0);
  bucket.put(full(), "data", 1, {}, TarText().file("PG_VERSION", "18\n").finish());
  EXPECT_THAT(failure(), HasSubstr("PG_VERSION of backup 20260101T000000 is damaged"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringFromABucket, WritesNothingOutsideTheDestination) {
  upload_without_manifest();
  os::write_file(fixture.folder / "outside", "as it was");
  const std::string outside = (fixture.folder / "outside").string();
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {TarText().file("../outside", "evil").finish(), "unsafe name"},
      {TarText().file(outside, "evil").finish(), "unsafe name"},
      {TarText().file("base/../../outside", "evil").finish(), "unsafe name"},
      {TarText().symlink("link", outside).file("link", "evil").finish(), "backup_label"},
      {TarText().symlink("far", fixture.folder.path().string()).file("far/outside", "evil").finish(),
       "is missing"},
      {TarText().file("base", "a file").file("base/5", "below it").finish(), "base"}};
  for (const auto& [tar, message] : hostile) {
    bucket.put(full(), "data", 0, {}, tar);
    EXPECT_NE(failure(), "none");
    EXPECT_FALSE(can_be_started());
    EXPECT_EQ(os::read_file(fixture.folder / "outside"), "as it was");
  }
}

TEST_F(RestoringFromABucket, WhatTheBackupLacksGoesInADeltaRestore) {
  for (const bool has_manifest : {true, false}) {
    start_anew();
    if (!has_manifest) fixture.chain[0].mode = std::nullopt;
    bucket.upload(0, {.manifest = has_manifest ? ManifestIs::kObject : ManifestIs::kNowhere});
    restore();
    const auto far = fixture.folder / "to-far";
    for (const char* name : {"base/5/77", "pg_wal/000000010000000000000009", "postmaster.opts"})
      os::write_file(restored_file(name), "stale");
    os::make_directories(far / "PG_17_1", 0700);
    os::write_file(far / "PG_17_1/stale", "stale");
    os::write_file(restored_file("base/5/1"), relation_blocks("axcd"));
    os::write_file(fixture.folder / "elsewhere", "not ours");
    fs::create_symlink(fixture.folder / "elsewhere", restored_file("base/5/link"));
    fs::remove(restored_file("global/pg_control"));
    request.delta = true;
    restore();
    expect_full_backup();
    for (const char* name :
         {"base/5/77", "pg_wal/000000010000000000000009", "postmaster.opts", "base/5/link"})
      EXPECT_FALSE(fs::exists(fs::symlink_status(restored_file(name)))) << name;
    EXPECT_FALSE(fs::exists(far / "PG_17_1"));
    EXPECT_EQ(os::read_file(fixture.folder / "elsewhere"), "not ours");
    EXPECT_EQ(fs::exists(restored_file("backup_manifest")), has_manifest);
  }
}

TEST_F(RestoringFromABucket, NamesAnObjectThatIsAnotherWhenItIsRead) {
  bucket.upload(0);
  const std::string key = bucket.key(full(), "16384");
  request.chain = fixture.chain;
  request.backup = fixture.chain.back();
  const RestorePlan plan = plan_restore(fixture.home, request, {}, clock.now());
  const auto failure_of_execution = [&]() -> std::string {
    try {
      (void)execute_restore(fixture.home, request, plan, clock, events, {});
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  bucket.put(full(), "16384", 0, {}, TarText().file("PG_17/5/9", "of another length").finish() + "more");
  EXPECT_THAT(failure_of_execution(), HasSubstr("16384.tar: it was replaced"));
  ASSERT_TRUE(bucket.store->remove(key));
  EXPECT_THAT(failure_of_execution(), HasSubstr("16384.tar: it vanished from the bucket"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringFromABucket, ReadsALargeArchiveInRangesAndNothingElse) {
  const std::string large(20U << 20U, 'x');
  upload_without_manifest();
  bucket.put(full(), "16384", 0, {}, TarText().file("PG_17/5/9", large).finish());
  bucket.watched->forget_requests();
  restore();
  EXPECT_EQ(os::read_file(fixture.folder / "to-far/PG_17/5/9"), large);
  const std::vector<std::string> requests = bucket.watched->requests();
  EXPECT_EQ(std::ranges::count(requests, "GET " + bucket.key(full(), "16384")), 3);
  for (const std::string& made : requests)
    EXPECT_TRUE(made.starts_with("GET ") || made.starts_with("HEAD ") || made.starts_with("LIST ")) << made;
}

TEST_F(RestoringFromABucket, MixesNoRangesOfTwoObjects) {
  upload_without_manifest();
  const std::string key = bucket.key(full(), "16384");
  bucket.put(full(), "16384", 0, {}, TarText().file("PG_17/5/9", std::string(20U << 20U, 'x')).finish());
  std::atomic<int> ranges = 0;
  bucket.watched->before = [&](const std::string& made) {
    if (made != "GET " + key || ++ranges != 3) return;
    bucket.put(full(), "16384", 0, {}, TarText().file("PG_17/5/9", std::string(21U << 20U, 'y')).finish());
  };
  EXPECT_THAT(failure(), HasSubstr("16384.tar: "));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringFromABucket, RefusesASnapshotOfVolumes) {
  upload_without_manifest();
  fixture.chain[0].snapshots_info = "{'provider': 'aws'}";
  EXPECT_THAT(failure(), HasSubstr("a volume snapshot"));
}

TEST_F(RestoringFromABucket, HearsAStop) {
  bucket.upload(0);
  stop.request_stop();
  EXPECT_THAT(failure(), HasSubstr("stopped on request"));
  EXPECT_FALSE(can_be_started());
}

class VerifyingInABucket : public RestoringFromABucket {
 protected:
  VerifyResult verify() {
    return verify_backup(fixture.home, {.chain = fixture.chain, .format = request.wal_format, .jobs = 2},
                         clock, events, {});
  }
};

TEST_F(VerifyingInABucket, FindsNothingWrongInAGoodChain) {
  add_increment();
  bucket.upload(0, {.compression = Compression::kZstd, .encrypted = true});
  bucket.upload(1, {.manifest = ManifestIs::kLastMember, .as_original = true});
  const VerifyResult result = verify();
  EXPECT_TRUE(result.damaged.empty());
  EXPECT_EQ(result.files, 10U);
}

TEST_F(VerifyingInABucket, NamesWhatIsWrong) {
  fixture.put(full(), "base/5/1", relation_blocks("abd"));
  bucket.upload(0);
  ASSERT_TRUE(bucket.store->remove(bucket.key(full(), "16384")));
  bucket.put(full(), "16384", 0, {}, TarText().file("PG_17/5/strange", "x").finish());
  const VerifyResult result = verify();
  ASSERT_EQ(result.damaged.size(), 1U);
  EXPECT_EQ(result.damaged[0].directory, "path/main/base/20260101T000000");
  EXPECT_THAT(result.damaged[0].problems,
              testing::UnorderedElementsAre(HasSubstr("base/5/1"), HasSubstr("PG_17/5/strange"),
                                            HasSubstr("PG_17/5/9")));
}

TEST_F(VerifyingInABucket, NeedsAManifest) {
  upload_without_manifest();
  const VerifyResult result = verify();
  ASSERT_EQ(result.damaged.size(), 1U);
  EXPECT_THAT(result.damaged[0].problems.at(0), HasSubstr("without a manifest a backup cannot be verified"));
}

}  // namespace
}  // namespace barman::engine
