#include "engine/server/archive_name.h"

#include <gtest/gtest.h>

namespace barman::engine {
namespace {

using codec::Compression;

TEST(ArchiveNames, SayWhatIsInThem) {
  EXPECT_EQ(parse_archive_name("base.tar"), (ArchiveName{.stem = "base"}));
  EXPECT_EQ(parse_archive_name("16384.tar.zst.gpg"),
            (ArchiveName{.stem = "16384", .compression = Compression::kZstd, .encrypted = true}));
  EXPECT_EQ(parse_archive_name("base.tar.gpg"), (ArchiveName{.stem = "base", .encrypted = true}));
}

TEST(ArchiveNames, AreWrittenAsTheyAreRead) {
  for (const char* name : {"base.tar", "base.tar.gz", "base.tar.lz4", "1.tar.zst", "base.tar.bz2.gpg",
                           "16384.tar.xz", "base.tar.gpg"}) {
    const auto parsed = parse_archive_name(name);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(format_archive_name(*parsed), name);
  }
}

TEST(ArchiveNames, AreNoOthers) {
  for (const char* name : {"", "tar", ".tar", "base", "base.tar.", "base.tar.gz.gz", "base.tar.gpg.gz",
                           "base.tar.gpg.gpg", "pg.tar", "../base.tar", "0.tar", "016384.tar",
                           "12345678901.tar", "base.tar.snappy", "backup_manifest"}) {
    EXPECT_FALSE(parse_archive_name(name)) << name;
  }
}

}  // namespace
}  // namespace barman::engine
