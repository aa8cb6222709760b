#include "pgformat/relation_file.h"

#include <gtest/gtest.h>

namespace barman::pgformat {
namespace {

TEST(RelationFile, SegmentsForksAndPlaces) {
  for (const char* path :
       {"global/1262", "base/5/1259", "base/5/1259_fsm", "base/5/1259_vm", "base/5/1259_init",
        "PG_15_202209061/5/16401", "pg_tblspc/16400/PG_15_202209061/5/16401_vm"}) {
    EXPECT_EQ(parse_relation_path(path), RelationFile{}) << path;
  }
  EXPECT_EQ(parse_relation_path("base/5/1259.1"), (RelationFile{.segment = 1}));
  EXPECT_EQ(parse_relation_path("base/5/1259_fsm.10"), (RelationFile{.segment = 10}));
  EXPECT_EQ(parse_relation_path("base/5/1259.32767"), (RelationFile{.segment = 32767}));
}

TEST(RelationFile, RelationsOfSessions) {
  for (const char* path : {"base/5/t3_16401", "base/5/t3_16401_fsm", "PG_15_202209061/5/t12_16401"}) {
    EXPECT_EQ(parse_relation_path(path), RelationFile{.is_temporary = true}) << path;
  }
  EXPECT_EQ(parse_relation_path("base/5/t3_16401.2"), (RelationFile{.segment = 2, .is_temporary = true}));
}

TEST(RelationFile, WhatIsNone) {
  for (const char* path : {"",
                           "1259",
                           "global/pg_control",
                           "global/pg_filenode.map",
                           "base/5/PG_VERSION",
                           "base/5/1259.",
                           "base/5/.1",
                           "base/5/1259.x",
                           "base/5/1259.99999999999",
                           "base/5/1259_main",
                           "base/5/1259_fsm_vm",
                           "base/5/_fsm",
                           "base/1259",
                           "base/x/1259",
                           "base/5/6/1259",
                           "base/5/",
                           "pg_xact/0000",
                           "pg_multixact/members/0000",
                           "16384/16401",
                           "base/5/t_1",
                           "base/5/t3",
                           "base/5/t3_",
                           "base/5/tx_1",
                           "pg_tblspc/x/PG_15/5/1",
                           "pg_tblspc/16400/5/1",
                           "base/5/-1",
                           "base/5/1259.-1",
                           "base/5/1259.+1"}) {
    EXPECT_EQ(parse_relation_path(path), std::nullopt) << path;
  }
}

}  // namespace
}  // namespace barman::pgformat
