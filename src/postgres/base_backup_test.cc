#include "postgres/base_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "postgres/libpq_replication.h"
#include "postgres/quoting.h"
#include "stream/memory.h"

namespace barman::postgres {
namespace {

TEST(BaseBackupCommand, SpeaksWordsTo13And14) {
  BaseBackupOptions options;
  options.label = "Barman backup main 20240131T120000";
  EXPECT_EQ(base_backup_command(options, 140011),
            "BASE_BACKUP LABEL 'Barman backup main 20240131T120000' PROGRESS MANIFEST 'yes' "
            "MANIFEST_CHECKSUMS 'CRC32C'");
  options = {.label = "it's",
             .fast_checkpoint = true,
             .manifest = false,
             .progress = false,
             .max_rate_kib = 4096,
             .wait_for_archiver = false,
             .tablespace_map = true};
  EXPECT_EQ(base_backup_command(options, 130000),
            "BASE_BACKUP LABEL 'it''s' FAST NOWAIT MAX_RATE 4096 TABLESPACE_MAP");
}

TEST(BaseBackupCommand, SpeaksOptionsTo15AndLater) {
  BaseBackupOptions options;
  options.label = "x";
  EXPECT_EQ(base_backup_command(options, 150000),
            "BASE_BACKUP (LABEL 'x', PROGRESS, CHECKPOINT 'spread', MANIFEST 'yes', "
            "MANIFEST_CHECKSUMS 'CRC32C')");
  options = {.label = "x",
             .fast_checkpoint = true,
             .manifest = false,
             .progress = false,
             .max_rate_kib = 32,
             .wait_for_archiver = false,
             .tablespace_map = true};
  EXPECT_EQ(base_backup_command(options, 180001),
            "BASE_BACKUP (LABEL 'x', CHECKPOINT 'fast', WAIT 0, MAX_RATE 32, TABLESPACE_MAP)");
}

TEST(BaseBackupCommand, AsksForAnIncrementalBackupOnTopOfAManifest) {
  stream::MemorySource manifest("{}");
  EXPECT_EQ(base_backup_command({.label = "x", .progress = false, .parent_manifest = &manifest}, 170000),
            "BASE_BACKUP (LABEL 'x', CHECKPOINT 'spread', INCREMENTAL, MANIFEST 'yes', MANIFEST_CHECKSUMS "
            "'CRC32C')");
}

TEST(BaseBackupCommand, RefusesARateThatServersDoNotTake) {
  for (const std::uint32_t rate : {0U, 31U, 1'048'577U}) {
    EXPECT_THROW(base_backup_command({.label = "x", .max_rate_kib = rate}, 150000), Error) << rate;
  }
  EXPECT_NO_THROW(base_backup_command({.label = "x", .max_rate_kib = 1'048'576}, 150000));
}

TEST(BaseBackupCommand, HasTheServerCompressFromFifteenOn) {
  BaseBackupOptions options{.label = "x", .compression = "zstd", .compression_detail = "level=3,workers=2"};
  EXPECT_THAT(base_backup_command(options, 150000),
              testing::HasSubstr(", COMPRESSION 'zstd', COMPRESSION_DETAIL 'level=3,workers=2'"));
  EXPECT_THROW(base_backup_command(options, 140000), Error);
  options.compression_detail = "";
  EXPECT_THAT(
      base_backup_command(options, 150000),
      testing::AllOf(testing::HasSubstr(", COMPRESSION 'zstd'"), testing::Not(testing::HasSubstr("DETAIL"))));
  EXPECT_THAT(base_backup_command({.label = "x"}, 150000), testing::Not(testing::HasSubstr("COMPRESSION")));
}

TEST(ChecksumWarning, NamesTheFile) {
  EXPECT_EQ(file_of_checksum_warning(
                "checksum verification failed in file \"./base/5/16384\", block 0: calculated 1 but "
                "expected 2"),
            "base/5/16384");
  EXPECT_EQ(file_of_checksum_warning("Datei »x« \"pg_tblspc/16385/PG_15_202209061/5/16386.1\" hat Fehler"),
            "pg_tblspc/16385/PG_15_202209061/5/16386.1");
  EXPECT_EQ(file_of_checksum_warning("waiting for WAL"), "");
  EXPECT_EQ(file_of_checksum_warning("\""), "");
  EXPECT_EQ(file_of_checksum_warning("\"pg_backup_stop\" odd"), "");
}

TEST(Quoting, DoublesTheQuoteAndNothingElse) {
  EXPECT_EQ(quote_literal(R"(a'b\c"d)"), R"('a''b\c"d')");
  EXPECT_EQ(quote_name(R"(a"b'c)"), R"("a""b'c")");
}

TEST(SegmentSize, IsAPowerOfTwoFromAMegabyteToAGigabyte) {
  EXPECT_EQ(parse_segment_size("16MB"), 16U << 20);
  EXPECT_EQ(parse_segment_size("1MB"), 1U << 20);
  EXPECT_EQ(parse_segment_size("1GB"), 1U << 30);
  EXPECT_EQ(parse_segment_size("1024MB"), 1U << 30);
  for (const char* bad : {"", "16", "MB", "3MB", "2GB", "16kB", "16MB ", "99999999999999999999MB"}) {
    EXPECT_FALSE(parse_segment_size(bad)) << bad;
  }
}

}  // namespace
}  // namespace barman::postgres
