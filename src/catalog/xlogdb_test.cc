#include "catalog/xlogdb.h"

#include <gtest/gtest.h>

namespace barman::catalog {
namespace {

TEST(Xlogdb, ALineIsRead) {
  const auto entry = parse_xlogdb_line("000000010000000000000003\t16777216\t1795354630.1062977\tgzip\tgpg");
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, (WalEntry{.name = "000000010000000000000003",
                              .size = 16777216,
                              .time = 1795354630.1062977,
                              .compression = "gzip",
                              .encryption = "gpg"}));
}

TEST(Xlogdb, OlderLinesHaveFewerFields) {
  EXPECT_EQ(parse_xlogdb_line("00000002.history 42 1406019026.0")->compression, std::nullopt);
  EXPECT_EQ(parse_xlogdb_line("000000010000000000000003  1  2  None ")->encryption, std::nullopt);
  EXPECT_EQ(parse_xlogdb_line("000000010000000000000003\t1\t2\tbzip2")->compression, "bzip2");
}

TEST(Xlogdb, WhatIsWrittenIsReadBack) {
  for (const std::string_view line : {
           "000000010000000000000003\t16777216\t1795354630.1062977\tNone\tNone\n",
           "00000002.history\t42\t1406019026.0\tNone\tNone\n",
           "000000010000000000000003.00000028.backup\t350\t1406019026.5\tNone\tNone\n",
           "000000010000000000000003.partial\t16777216\t0.0\tzstd\tgpg\n",
       }) {
    EXPECT_EQ(format_xlogdb_line(*parse_xlogdb_line(line)), line);
  }
}

TEST(Xlogdb, AnythingElseIsNothing) {
  for (const std::string_view line :
       {"", " ", "000000010000000000000003", "000000010000000000000003 1", "000000010000000000000003 x 2",
        "000000010000000000000003 -1 2", "000000010000000000000003 1 x", "000000010000000000000003 1 2 a b c",
        "../../etc/passwd 1 2", "00000001000000000000000 1 2", "000000010000000000000003.gz 1 2"}) {
    EXPECT_FALSE(parse_xlogdb_line(line)) << line;
  }
}

TEST(Xlogdb, CutShortItIsNothingOrALineOfFewerFields) {
  const std::string whole = "000000010000000000000003\t16777216\t1795354630.1062977\tgzip\tgpg";
  for (std::size_t length = 0; length < 34; ++length) {
    EXPECT_FALSE(parse_xlogdb_line(whole.substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace barman::catalog
