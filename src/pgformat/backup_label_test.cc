#include "pgformat/backup_label.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::pgformat {
namespace {

constexpr std::string_view kLabel =
    "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
    "CHECKPOINT LOCATION: 0/2000080\n"
    "BACKUP METHOD: streamed\n"
    "BACKUP FROM: primary\n"
    "START TIME: 2026-11-23 11:19:26 UTC\n"
    "LABEL: Barman backup main 20261123T111926\n"
    "START TIMELINE: 1\n";

TEST(BackupLabel, IsRead) {
  const BackupLabel label = parse_backup_label(kLabel);
  EXPECT_EQ(label.start, parse_lsn("0/2000028"));
  EXPECT_EQ(label.start_wal, "000000010000000000000002");
  EXPECT_EQ(label.timeline, 1U);
  EXPECT_EQ(label.label, "Barman backup main 20261123T111926");
  EXPECT_FALSE(label.incremental_from);
}

TEST(BackupLabel, OfAnIncrementalBackupNamesItsParent) {
  const BackupLabel label =
      parse_backup_label(std::string(kLabel) + "INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\n");
  EXPECT_EQ(label.incremental_from, parse_lsn("0/1000028"));
}

TEST(BackupLabel, OfACombinedBackupDoesNotNameAParent) {
  const std::string incremental =
      std::string(kLabel) + "INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\n";
  EXPECT_EQ(combined_backup_label(incremental), kLabel);
  EXPECT_EQ(combined_backup_label(kLabel), kLabel);
  EXPECT_EQ(combined_backup_label("INCREMENTAL FROM TLI: 1"), "");
  EXPECT_EQ(combined_backup_label("LABEL: x"), "LABEL: x");
  EXPECT_EQ(combined_backup_label(""), "");
}

TEST(BackupLabel, WithoutATimelineOrWithWindowsLineEndsIsRead) {
  EXPECT_FALSE(parse_backup_label("START WAL LOCATION: 0/2000028 (file 000000010000000000000002)").timeline);
  EXPECT_EQ(
      parse_backup_label("START WAL LOCATION: 0/28 (file 000000010000000000000000)\r\nSTART TIMELINE: 7\r\n")
          .timeline,
      7U);
}

TEST(BackupLabel, ATruncationIsCorruptUntilTheStartIsThere) {
  const std::size_t first_line = kLabel.find('\n');
  for (std::size_t size = 0; size < first_line; ++size) {
    EXPECT_THROW((void)parse_backup_label(kLabel.substr(0, size)), Error) << size;
  }
  EXPECT_NO_THROW((void)parse_backup_label(kLabel.substr(0, first_line)));
}

TEST(BackupLabel, MalformedValuesAreCorrupt) {
  for (const char* text :
       {"START WAL LOCATION: 0/2000028\n", "START WAL LOCATION: x (file 000000010000000000000002)\n",
        "START WAL LOCATION: 0/2000028 (file ../../x)\n", "garbage",
        "START WAL LOCATION: 0/28 (file 000000010000000000000000)\nSTART TIMELINE: 0\n",
        "START WAL LOCATION: 0/28 (file 000000010000000000000000)\nSTART TIMELINE: x\n",
        "START WAL LOCATION: 0/28 (file 000000010000000000000000)\nINCREMENTAL FROM LSN: x\n"}) {
    EXPECT_THROW((void)parse_backup_label(text), Error) << text;
  }
}

TEST(History, IsReadOldestFirst) {
  const auto entries = parse_history(
      "1\t0/A000198\tno recovery target specified\n"
      "\n"
      "# a comment\n"
      "9\t1/FF000000\tbefore 2000-01-01 05:30:00+05:30\n"
      "16\tFF/0\t\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].parent, 1U);
  EXPECT_EQ(entries[0].switched_at, parse_lsn("0/A000198"));
  EXPECT_EQ(entries[0].reason, "no recovery target specified");
  EXPECT_EQ(entries[1].parent, 9U);
  EXPECT_EQ(entries[2].parent, 16U);
}

TEST(History, TheReasonMayBeMissing) {
  EXPECT_EQ(parse_history("1\t0/A000198\t\n").at(0).reason, "");
  EXPECT_EQ(parse_history("4294967295\t0/A000198\tx").at(0).parent, 0xFFFFFFFFU);
}

TEST(History, AnythingElseIsCorrupt) {
  for (const char* text : {"", "\n", "# only a comment\n", "1\n", "1\t0/0", "1 0/0 x\n", "x\t0/0\tx\n",
                           "0\t0/0\tx\n", "1\tx\ty\n", "-1\t0/0\tx\n", "4294967296\t0/0\tx\n",
                           "2\t0/0\tx\n1\t0/1\ty\n", "1\t0/0\tx\n1\t0/1\ty\n"}) {
    EXPECT_THROW((void)parse_history(text), Error) << text;
  }
}

}  // namespace
}  // namespace barman::pgformat
