#include "engine/server/cloud_keys.h"

#include <gtest/gtest.h>

namespace barman::engine {
namespace {

using codec::Compression;

TEST(CloudKeys, OfWal) {
  const std::string name = "0000000A0000000B0000000C";
  EXPECT_EQ(wal_key(*pgformat::parse_wal_name(name), name, Compression::kZstd),
            "wals/0000000A0000000B/0000000A0000000B0000000C.zst");
  EXPECT_EQ(wal_key(*pgformat::parse_wal_name("00000002.history"), "00000002.history", {}),
            "wals/00000002.history");
  const auto wal = parse_wal_key("wals/0000000A0000000B/0000000A0000000B0000000C.partial.gz");
  ASSERT_TRUE(wal);
  EXPECT_EQ(wal->name, "0000000A0000000B0000000C.partial");
  EXPECT_EQ(wal->compression, Compression::kGzip);
  EXPECT_EQ(parse_wal_key("wals/00000002.history.bz2")->name, "00000002.history");
}

TEST(CloudKeys, OfFoldersOfWal) {
  EXPECT_EQ(cloud_wal_folder(), "wals/");
  EXPECT_EQ(cloud_wal_folder("0000000A0000000B"), "wals/0000000A0000000B/");
}

TEST(CloudKeys, OfEncryptedWal) {
  const std::string name = "0000000A0000000B0000000C";
  const std::string key = "wals/0000000A0000000B/0000000A0000000B0000000C.zst.gpg";
  EXPECT_EQ(wal_key(*pgformat::parse_wal_name(name), name, Compression::kZstd, true), key);
  const auto wal = parse_wal_key(key);
  ASSERT_TRUE(wal);
  EXPECT_EQ(wal->name, name);
  EXPECT_EQ(wal->compression, Compression::kZstd);
  EXPECT_TRUE(wal->encrypted);
  EXPECT_TRUE(parse_wal_key("wals/00000002.history.gpg")->encrypted);
  EXPECT_FALSE(parse_wal_key("wals/0000000A0000000B/0000000A0000000B0000000C.gpg.zst"));
}

TEST(CloudKeys, WhatIsSomewhereElseIsNoWal) {
  for (const char* key :
       {"", "wals/", "wals/0000000A0000000B0000000C", "wals/0000000100000000/0000000A0000000B0000000C",
        "wals/0000000A0000000B/x", "wals/0000000A0000000B/0000000A0000000B0000000C.zip",
        "x/0000000A0000000B/0000000A0000000B0000000C", "base/20261122T133001/backup.info"}) {
    EXPECT_FALSE(parse_wal_key(key)) << key;
  }
}

TEST(CloudKeys, OfBackups) {
  EXPECT_EQ(backup_info_key({"20261122T133001"}), "base/20261122T133001/backup.info");
  EXPECT_EQ(annotation_key({"20261122T133001"}, "keep"), "base/20261122T133001/annotations/keep");
}

TEST(CloudKeys, OfArchives) {
  const catalog::BackupId id{"20261122T133001"};
  EXPECT_EQ(manifest_key(id), "base/20261122T133001/backup_manifest");
  const std::pair<CloudArchiveName, std::string> names[] = {
      {{.stem = "data"}, "data.tar"},
      {{.stem = "data", .number = 1}, "data_0001.tar"},
      {{.stem = "16384", .number = 10000, .compression = Compression::kXz}, "16384_10000.tar.xz"},
      {{.stem = "data", .number = 12, .compression = Compression::kZstd, .encrypted = true},
       "data_0012.tar.zst.gpg"},
      {{.stem = "16384", .encrypted = true}, "16384.tar.gpg"},
  };
  for (const auto& [name, text] : names) {
    EXPECT_EQ(archive_key(id, name), "base/20261122T133001/" + text);
    EXPECT_EQ(parse_cloud_archive_name(text), name) << text;
  }
}

TEST(CloudKeys, WhatIsNoArchive) {
  for (const char* name :
       {"", ".tar", "backup.info", "backup_manifest", "data", "data.tar.zip", "data_1.tar", "data_0000.tar",
        "data_12345678901.tar", "data_000x.tar", "annotations/x.tar", "data.gpg.tar.gpg.gpg"}) {
    EXPECT_FALSE(parse_cloud_archive_name(name)) << name;
  }
}

TEST(CloudKeys, TheBackupThatAKeyBelongsTo) {
  EXPECT_EQ(backup_of_key("base/20261122T133001/data.tar"), catalog::BackupId{"20261122T133001"});
  EXPECT_EQ(backup_of_key("base/20261122T133001/annotations/keep"), catalog::BackupId{"20261122T133001"});
  for (const char* key : {"base/20261122T133001", "base/x/data.tar", "wals/20261122T133001/x", "base/", "",
                          "base", "bases/20261122T133001/x", "20261122T133001/data.tar"}) {
    EXPECT_FALSE(backup_of_key(key)) << key;
  }
}

TEST(CloudKeys, WhatChecksPut) {
  EXPECT_EQ(trial_key("base", "123"), "base/.barman-check-123");
  for (const char* key : {"base/.barman-check-1", "wals/.barman-check-123-456-object"}) {
    EXPECT_TRUE(is_trial_key(key)) << key;
  }
  for (const char* key : {"base/.barman-check-", "base/.barman-check-mine", "base/.barman-check-1/x",
                          "base/.barman-check-1.tar", "x/.barman-check-1", ".barman-check-1",
                          "base/20261122T133001/.barman-check-1", "base.barman-check-1", ""}) {
    EXPECT_FALSE(is_trial_key(key)) << key;
  }
}

}  // namespace
}  // namespace barman::engine
