#include "engine/restore/generate_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "engine/recorded_events.h"
#include "engine/restore/archive_fixture.h"
#include "engine/restore/bucket_fixture.h"
#include "engine/restore/verify.h"

namespace barman::engine {
namespace {

using codec::Compression;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ClockOfGenerating final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(std::chrono::seconds(2000)); }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
};

class Generating : public testing::Test {
 protected:
  Generating() {
    fixture.add({{"base/5/1", "abc"}, {"pg_tblspc/16384/PG_17/5/9", "pq"}});
    std::filesystem::remove(manifest());
    fixture.put(backup(), "pg_wal/000000010000000000000002", "w");
    fixture.put(backup(), "log/today", "l");
  }

  catalog::BackupInfo& backup() { return fixture.chain[0]; }
  [[nodiscard]] std::filesystem::path manifest() {
    return fixture.home.data(backup().id) / "backup_manifest";
  }

  std::uint64_t generate() {
    return generate_manifest(fixture.home, {.backup = backup(), .format = archives.format(), .jobs = 2},
                             clock, events, stop.get_token());
  }
  std::string text() { return os::read_file(manifest()).value_or("none"); }

  ChainFixture fixture;
  ArchiveFixture archives;
  ClockOfGenerating clock;
  RecordedEvents events;
  std::stop_source stop;
};

TEST_F(Generating, ListsAllFilesAsTheServerWould) {
  const auto base = fixture.place(backup(), "base/5/1");
  std::filesystem::last_write_time(
      base, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(1795354201))));
  EXPECT_EQ(generate(), 6U);
  EXPECT_THAT(text(), StartsWith("{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n"
                                 "\"System-Identifier\": 7711,\n\"Files\": ["));
  EXPECT_THAT(text(),
              HasSubstr(R"({ "Path": "base/5/1", "Size": 3, "Last-Modified": "2026-11-22 13:30:01 GMT", )"
                        R"("Checksum-Algorithm": "SHA256", "Checksum": )"
                        R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" })"));
  EXPECT_THAT(text(), AllOf(HasSubstr("pg_tblspc/16384/PG_17/5/9"), HasSubstr("global/pg_control"),
                            HasSubstr("backup_label"), HasSubstr("log/today"), Not(HasSubstr("pg_wal"))));
  EXPECT_THAT(text(), HasSubstr("\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", "
                                "\"End-LSN\": \"0/2000100\" }\n]"));
}

TEST_F(Generating, VerifyBackupIsContentWithIt) {
  for (const bool archived : {false, true}) {
    if (archived)
      archives.archive(fixture, 0, {.stem = {}, .compression = Compression::kZstd, .encrypted = true});
    std::filesystem::remove(manifest());
    EXPECT_EQ(generate(), 6U);
    const VerifyResult verified = verify_backup(
        fixture.home, {.chain = {backup()}, .format = archives.format()}, clock, events, stop.get_token());
    EXPECT_THAT(verified.damaged, IsEmpty());
    EXPECT_EQ(verified.files, 5U);  // a server's logs are nobody's
  }
}

TEST_F(Generating, OfABackupInABucketItIsAnObject) {
  os::write_file(manifest(), "goes with the archives");
  BucketFixture bucket(fixture);
  bucket.upload(0,
                {.compression = Compression::kZstd, .manifest = ManifestIs::kNowhere, .as_original = true});
  EXPECT_EQ(generate_manifest(fixture.home, {.backup = backup()}, clock, events, stop.get_token()), 6U);
  EXPECT_THAT(store::read_text(*bucket.store, manifest_key(backup().id)).value_or("none"),
              AllOf(HasSubstr("pg_tblspc/16384/PG_17/5/9"), HasSubstr("WAL-Ranges")));
  EXPECT_THAT(verify_backup(fixture.home, {.chain = {backup()}}, clock, events, stop.get_token()).damaged,
              IsEmpty());
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { generate(); }), HasSubstr("path/main/base/"));
}

TEST_F(Generating, AFileThatComesTwiceMustBeTheSame) {
  os::write_file(manifest(), "goes with the archives");
  BucketFixture bucket(fixture);
  bucket.upload(0, {.manifest = ManifestIs::kNowhere});
  bucket.put(backup(), "data", 1, {}, TarText().file("PG_VERSION", "18\n").finish());
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { generate(); }), HasSubstr("PG_VERSION comes twice"));
  EXPECT_FALSE(bucket.store->stat(manifest_key(backup().id)));
}

TEST_F(Generating, ProgramsOfOlderServersReadIt) {
  backup().version = 160004;
  backup().timeline.reset();
  generate();
  EXPECT_THAT(text(), StartsWith("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": ["));
  EXPECT_THAT(text(), HasSubstr("\"WAL-Ranges\": [\n],"));
}

TEST_F(Generating, OneThatIsThereStays) {
  os::write_file(manifest(), "the server's");
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { generate(); }), HasSubstr("already exists"));
  EXPECT_EQ(text(), "the server's");
}

TEST_F(Generating, HalfABackupGetsNone) {
  backup().status = catalog::BackupStatus::kFailed;
  EXPECT_THAT(failure(ErrorKind::kRefused, [&] { generate(); }), HasSubstr("status is FAILED"));
  EXPECT_EQ(text(), "none");
}

TEST_F(Generating, NothingAppearsWhenItDoesNotComeToItsEnd) {
  stop.request_stop();
  failure(ErrorKind::kCancelled, [&] { generate(); });
  EXPECT_EQ(text(), "none");
  EXPECT_FALSE(std::filesystem::exists(fixture.home.backup(backup().id) / "backup_manifest"));
}

}  // namespace
}  // namespace barman::engine
