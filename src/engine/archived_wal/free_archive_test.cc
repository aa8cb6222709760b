#include "engine/archived_wal/free_archive.h"

#include <gtest/gtest.h>

#include "engine/recorded_events.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

class FreeArchive : public testing::Test {
 protected:
  void index(const std::string& text) { ScratchHome::write(scratch.home.xlogdb, text); }
  std::uint64_t files(std::optional<std::uint64_t> from = std::nullopt) {
    return files_in_the_way(scratch.home, from, events);
  }

  ScratchHome scratch;
  RecordedEvents events;
};

TEST_F(FreeArchive, NothingIsInTheWayWhereNothingIs) {
  EXPECT_EQ(files(), 0U);
  index("");
  EXPECT_EQ(files(), 0U);
}

TEST_F(FreeArchive, EveryLineOfTheIndexCounts) {
  index(
      "000000010000000000000001\t3\t1.0\tNone\tNone\n000000020000000000000001\t3\t1.0\tNone\tNone\n"
      "00000003.history\t3\t1.0\tNone\tNone\n");
  EXPECT_EQ(files(), 3U);
  EXPECT_EQ(files(2), 2U);
  EXPECT_EQ(files(3), 1U);
  EXPECT_EQ(files(4), 0U);
  EXPECT_EQ(files(5000000000), 0U);
}

TEST_F(FreeArchive, WhatAnEmptyIndexDoesNotKnowCountsToo) {
  index("");
  ScratchHome::write(scratch.home.wals / "0000000200000000" / "000000020000000000000001", "x");
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(files(2), 1U);
  EXPECT_EQ(files(3), 0U);
}

}  // namespace
}  // namespace barman::engine
