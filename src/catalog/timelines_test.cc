#include "catalog/timelines.h"

#include <gtest/gtest.h>

namespace barman::catalog {
namespace {

using pgformat::Lsn;
using Timelines = std::vector<pgformat::Timeline>;

// 1 -> 2 at 0x500, 2 -> 3 at 0x800; 1 -> 10 at 0x600.
const std::vector<TimelineHistory> kFamily = {
    {.timeline = 10, .ancestors = {{.parent = 1, .switched_at = Lsn{0x600}, .reason = ""}}},
    {.timeline = 2, .ancestors = {{.parent = 1, .switched_at = Lsn{0x500}, .reason = ""}}},
    {.timeline = 3,
     .ancestors = {{.parent = 1, .switched_at = Lsn{0x500}, .reason = ""},
                   {.parent = 2, .switched_at = Lsn{0x800}, .reason = ""}}},
};

TEST(ReachableTimelines, AreThoseThatBranchedOffAfterTheBackup) {
  EXPECT_EQ(reachable_timelines(1, Lsn{0x400}, kFamily), (Timelines{2, 3, 10}));
  EXPECT_EQ(reachable_timelines(1, Lsn{0x500}, kFamily), (Timelines{2, 3, 10}));
  EXPECT_EQ(reachable_timelines(1, Lsn{0x501}, kFamily), (Timelines{10}));
  EXPECT_EQ(reachable_timelines(2, Lsn{0x700}, kFamily), (Timelines{3}));
  EXPECT_EQ(reachable_timelines(3, Lsn{0x900}, kFamily), Timelines{});
  EXPECT_EQ(reachable_timelines(1, Lsn{0}, {}), Timelines{});
}

}  // namespace
}  // namespace barman::catalog
