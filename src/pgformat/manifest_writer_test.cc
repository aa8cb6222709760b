#include "pgformat/manifest_writer.h"

#include <gtest/gtest.h>

namespace barman::pgformat {
namespace {

struct Written {
  std::vector<ManifestFile> files{};
  std::vector<ManifestWalRange> ranges{};
  std::optional<std::uint64_t> system_identifier{};

  [[nodiscard]] std::string text() const {
    std::string text;
    ManifestWriter writer([&](std::string_view piece) { text += piece; }, system_identifier);
    for (const ManifestFile& file : files) writer.file(file);
    writer.finish(ranges);
    return text;
  }
};

TEST(ManifestWriter, WritesWhatAServerWrites) {
  const Written written{.files = {{.path = "backup_label",
                                   .size = 225,
                                   .last_modified = "2026-11-23 11:19:26 GMT",
                                   .kind = ChecksumKind::kCrc32c,
                                   .checksum = "9ce48ce1"},
                                  {.path = "base/\xFF\xFF",
                                   .size = 0,
                                   .last_modified = "2026-11-23 11:10:27 GMT",
                                   .kind = ChecksumKind::kCrc32c,
                                   .checksum = "00000000"}},
                        .ranges = {{.timeline = 1, .start = {0x2000028}, .end = {0x2000120}},
                                   {.timeline = 2, .start = {0x2000120}, .end = {0x3000000}}},
                        .system_identifier = 7711322697705067425};
  const std::string text = written.text();
  EXPECT_TRUE(text.starts_with(R"({ "PostgreSQL-Backup-Manifest-Version": 2,
"System-Identifier": 7711322697705067425,
"Files": [
{ "Path": "backup_label", "Size": 225, "Last-Modified": "2026-11-23 11:19:26 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "9ce48ce1" },
{ "Encoded-Path": "626173652fffff", "Size": 0, "Last-Modified": "2026-11-23 11:10:27 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "00000000" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" },
{ "Timeline": 2, "Start-LSN": "0/2000120", "End-LSN": "0/3000000" }
],
"Manifest-Checksum": ")"))
      << text;
  EXPECT_TRUE(text.ends_with("\"}\n"));
}

TEST(ManifestWriter, WritesWhatTheReaderReads) {
  const Written written{.files = {{.path = "a \"b\" \\ \n \u00e9\U0001F600",
                                   .size = 18446744073709551615U,
                                   .last_modified = "x"},
                                  {.path = "s",
                                   .size = 1,
                                   .last_modified = "y",
                                   .kind = ChecksumKind::kSha224,
                                   .checksum = std::string(56, 'a')},
                                  {.path = "t",
                                   .size = 1,
                                   .last_modified = "y",
                                   .kind = ChecksumKind::kSha512,
                                   .checksum = std::string(128, 'b')},
                                  {.path = "\xC3", .size = 1, .last_modified = "z"}},
                        .ranges = {}};
  std::vector<ManifestFile> files;
  ManifestReader reader([&](const ManifestFile& file) { files.push_back(file); });
  reader.write(written.text());
  const ManifestSummary summary = reader.finish();
  EXPECT_EQ(summary.version, 1);
  EXPECT_FALSE(summary.system_identifier);
  EXPECT_TRUE(summary.wal_ranges.empty());
  ASSERT_EQ(files.size(), written.files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].path, written.files[i].path);
    EXPECT_EQ(files[i].size, written.files[i].size);
    EXPECT_EQ(files[i].last_modified, written.files[i].last_modified);
    EXPECT_EQ(files[i].kind, written.files[i].kind);
    EXPECT_EQ(files[i].checksum, written.files[i].checksum);
  }
}

TEST(ManifestWriter, WritesAListOfNothing) {
  ManifestReader reader([](const ManifestFile&) { FAIL(); });
  reader.write(Written{}.text());
  EXPECT_EQ(reader.finish().files, 0U);
}

TEST(ManifestTime, IsWrittenInGmt) {
  EXPECT_EQ(format_manifest_time(std::chrono::sys_seconds(std::chrono::seconds(1'795'354'202))),
            "2026-11-22 13:30:02 GMT");
}

}  // namespace
}  // namespace barman::pgformat
