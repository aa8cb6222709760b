#include "engine/restore/archive_member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/restore/archive_fixture.h"
#include "engine/restore/archives_on_disk.h"
#include "engine/restore/member.h"
#include "engine/restore/pace.h"
#include "engine/restore/restoring_chains.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;
using codec::Compression;
using testing::HasSubstr;

const ArchiveName kPlainTar{.stem = {}};
const ArchiveName kZstdTar{.stem = {}, .compression = Compression::kZstd};
const ArchiveName kSecretTar{.stem = {}, .compression = Compression::kGzip, .encrypted = true};

class RestoringArchives : public ChainRestoreTest {
 protected:
  RestoringArchives() {
    fixture.add({{"base/5/1", relation_blocks("abc")},
                 {"tablespace_map", "16384 /far\n"},
                 {"pg_wal/000000010000000000000002", "wal"},
                 {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
    request.wal_format = archives.format();
  }

  void add_increment() {
    fixture.add({{"base/5/INCREMENTAL.1", increment_of(2, {{1, 'B'}})},
                 {"pg_tblspc/16384/PG_17/5/INCREMENTAL.9", increment_of(2, {{1, 'Q'}})}});
  }

  [[nodiscard]] fs::path stored(std::size_t member, const std::string& name) const {
    return fixture.home.data(fixture.chain[member].id) / name;
  }

  ArchiveFixture archives;
};

TEST_F(RestoringArchives, BringsBackEveryCompression) {
  for (const auto kind : {std::optional<Compression>{}, std::optional(Compression::kGzip),
                          std::optional(Compression::kLz4), std::optional(Compression::kZstd),
                          std::optional(Compression::kBzip2), std::optional(Compression::kXz)}) {
    ChainFixture fresh;
    fresh.add({{"base/5/1", relation_blocks("abc")}, {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
    archives.archive(fresh, 0, {.stem = {}, .compression = kind});
    RestoreRequest one = request;
    one.destination = fresh.folder / "to";
    one.tablespaces = {{"far", (fresh.folder / "to-far").string()}};
    one.chain = fresh.chain;
    one.backup = fresh.chain.back();
    const RestorePlan plan = plan_restore(fresh.home, one, {}, clock.now());
    EXPECT_GT(plan.bytes, 5U * pgformat::kBlockSize);
    EXPECT_EQ(plan.folders.at(1).bytes, 2U * pgformat::kBlockSize);
    (void)execute_restore(fresh.home, one, plan, clock, events, stop.get_token());
    EXPECT_EQ(os::read_file(one.destination / "base/5/1"), relation_blocks("abc"));
    EXPECT_EQ(os::read_file(fresh.folder / "to-far/PG_17/5/9"), relation_blocks("pq"));
    EXPECT_EQ(fs::read_symlink(one.destination / "pg_tblspc/16384"), fresh.folder / "to-far");
    EXPECT_EQ(os::read_file(one.destination / "global/pg_control"), "control 0");
    EXPECT_TRUE(fs::is_directory(one.destination / "pg_notify"));
  }
}

TEST_F(RestoringArchives, LeavesOutWhatAServerMustNotFind) {
  archives.archive(fixture, 0, kZstdTar);
  restore();
  EXPECT_FALSE(fs::exists(restored_file("tablespace_map")));
  EXPECT_FALSE(fs::exists(restored_file("pg_wal/000000010000000000000002")));
}

TEST_F(RestoringArchives, AppliesChainsOfAnyMix) {
  add_increment();
  add_increment();
  archives.archive(fixture, 0, kSecretTar);
  archives.archive(fixture, 2, kZstdTar);
  restore();
  EXPECT_EQ(restored("base/5/1"), relation_blocks("aB"));
  EXPECT_EQ(os::read_file(fixture.folder / "to-far/PG_17/5/9"), relation_blocks("pQ"));
  EXPECT_EQ(restored("global/pg_control"), "control 2");
}

TEST_F(RestoringArchives, PutsATablespaceInPlaceBackIntoTheDataDirectory) {
  archives.archive(fixture, 0, kZstdTar);
  fixture.chain[0].tablespaces.clear();
  request.tablespaces.clear();
  restore();
  EXPECT_EQ(restored("pg_tblspc/16384/PG_17/5/9"), relation_blocks("pq"));
}

TEST_F(RestoringArchives, SaysThatThePassphraseIsWrong) {
  archives.archive(fixture, 0, kSecretTar);
  request.wal_format = archives.format_with("echo sesam");
  EXPECT_THAT(failure(), HasSubstr(".tar.gz.gpg"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringArchives, TakesAProgramThatTheSameSignalEndedForNoFailure) {
  archives.archive(fixture, 0, kSecretTar);
  struct Interrupted final : MemberReceiver {
    void directory(const std::string& /*path*/, unsigned /*mode*/) override {}
    std::unique_ptr<stream::Sink> file(const MemberFile& /*file*/) override {
      stop.request_stop();
      throw Error(ErrorKind::kCorrupt, "gpg: signal Interrupt caught");
    }
    std::stop_source stop;
  } receiver;
  Pace pace(std::nullopt, {}, clock, {});
  const auto member = open_member(fixture.home, fixture.chain[0], request.wal_format);
  try {
    member.files->read(receiver, {.pace = pace, .stop = receiver.stop.get_token()});
    FAIL() << "nothing thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCancelled) << e.what();
  }
}

TEST_F(RestoringArchives, NamesAMissingArchiveBeforeAnythingIsWritten) {
  archives.archive(fixture, 0, kPlainTar);
  fs::remove(stored(0, "16384.tar"));
  EXPECT_THAT(failure(), HasSubstr("16384.tar of the backup is missing"));
  EXPECT_FALSE(fs::exists(request.destination));
}

TEST_F(RestoringArchives, RefusesTwoArchivesOfTheSame) {
  archives.archive(fixture, 0, kPlainTar);
  os::write_file(stored(0, "base.tar.gz"), "");
  EXPECT_THAT(failure(), HasSubstr("should be the same"));
}

TEST_F(RestoringArchives, CannotGoWithoutTheManifest) {
  archives.archive(fixture, 0, kPlainTar);
  fs::remove(stored(0, "backup_manifest"));
  EXPECT_THAT(failure(), HasSubstr("has no manifest"));
  EXPECT_FALSE(fs::exists(request.destination));
}

TEST_F(RestoringArchives, SavesWhatCanBeSavedWithoutTheManifest) {
  archives.archive(fixture, 0, kZstdTar);
  fs::remove(stored(0, "backup_manifest"));
  request.verify = false;
  EXPECT_EQ(restore().checked_files, 0U);
  EXPECT_EQ(restored("base/5/1"), relation_blocks("abc"));
  EXPECT_EQ(restored("global/pg_control"), "control 0");
  EXPECT_FALSE(fs::exists(restored_file("tablespace_map")));
}

TEST_F(RestoringArchives, NamesAnArchiveThatWasCut) {
  for (const ArchiveName& form : {kPlainTar, kZstdTar, kSecretTar}) {
    ChainFixture fresh;
    fresh.add({{"base/5/1", relation_blocks("abc")}, {"pg_tblspc/16384/PG_17/5/9", relation_blocks("pq")}});
    archives.archive(fresh, 0, form);
    ArchiveName name = form;
    name.stem = "base";
    const fs::path place = fresh.home.data(fresh.chain[0].id) / format_archive_name(name);
    const std::uintmax_t whole = fs::file_size(place);
    for (std::uintmax_t parts = 0; parts < 8; ++parts) {
      // The padding at the end of a tar archive may be missing.
      fs::resize_file(place, (7 - parts) * whole / 16);
      RestoreRequest one = request;
      one.destination = fresh.folder / "to";
      one.tablespaces = {{"far", (fresh.folder / "to-far").string()}};
      one.chain = fresh.chain;
      one.backup = fresh.chain.back();
      const RestorePlan plan = plan_restore(fresh.home, one, {}, clock.now());
      EXPECT_THROW((void)execute_restore(fresh.home, one, plan, clock, events, stop.get_token()), Error);
      EXPECT_FALSE(fs::exists(one.destination / "global/pg_control"));
    }
  }
}

TEST_F(RestoringArchives, NamesTheFileWhoseBytesAreOthers) {
  fixture.put(fixture.chain[0], "base/5/1", relation_blocks("abd"));
  archives.archive(fixture, 0, kZstdTar);
  const std::string message = failure();
  EXPECT_THAT(message, HasSubstr("base.tar.zst"));
  EXPECT_THAT(message, HasSubstr("base/5/1 of backup 20260101T000000 is damaged"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringArchives, RefusesNamesThatLeaveTheDestination) {
  archives.archive(fixture, 0, kPlainTar);
  os::write_file(fixture.folder / "evil", "evil");
  ArchiveFixture::run("cd " + (fixture.folder / "base").string() + " && tar -P --append -f " +
                      stored(0, "base.tar").string() + " ../evil");
  EXPECT_THAT(failure(), HasSubstr("unsafe name"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringArchives, RefusesAFileThatTheManifestDoesNotList) {
  fixture.put(fixture.chain[0], "base/5/strange", "strange");
  archives.archive(fixture, 0, kPlainTar);
  EXPECT_THAT(failure(),
              HasSubstr("base/5/strange of backup 20260101T000000 is not in the backup's manifest"));
  EXPECT_FALSE(can_be_started());
}

TEST_F(RestoringArchives, IsNotTakenForArchivesByAFileOfThatNameInTheDataDirectory) {
  os::write_file(stored(0, "base.tar"), "somebody's");
  EXPECT_FALSE(is_archived(fixture.home, fixture.chain[0]));
  archives.archive(fixture, 0, kZstdTar);
  EXPECT_TRUE(is_archived(fixture.home, fixture.chain[0]));
}

}  // namespace
}  // namespace barman::engine
