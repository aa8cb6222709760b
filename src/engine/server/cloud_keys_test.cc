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

}  // namespace
}  // namespace barman::engine
