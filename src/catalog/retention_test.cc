#include "catalog/retention.h"

#include <gtest/gtest.h>

namespace barman::catalog {
namespace {

using std::chrono::days;

// Noon of 2026-01-31.
const Time kNow = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + std::chrono::hours{12};

// A backup of a day of January 2026, which ended at noon.
BackupInfo backup(int day, BackupStatus status = BackupStatus::kDone, int parent = 0) {
  const auto id = [](int d) {
    return BackupId{"202601" + std::string(d < 10 ? "0" : "") + std::to_string(d) + "T120000"};
  };
  BackupInfo info;
  info.id = id(day);
  info.status = status;
  info.mode = "postgres";
  info.end_time = Timestamp{.instant = kNow - days{31 - day}};
  if (parent != 0) info.parent_backup_id = id(parent);
  return info;
}

struct Case {
  std::vector<BackupInfo> backups;
  std::map<BackupId, std::string> kept{};
  std::uint32_t minimum_redundancy = 0;

  // The statuses, oldest first, as text.
  [[nodiscard]] std::string report(std::string_view policy) const {
    const RetentionQuestion question{
        .backups = backups, .kept = kept, .minimum_redundancy = minimum_redundancy, .now = kNow};
    std::string text;
    for (const auto& [id, status] : retention_report(*parse_retention_policy(policy), question)) {
      text += (text.empty() ? "" : " ") + std::string(format_retention_status(status));
    }
    return text;
  }
};

TEST(RetentionPolicy, IsReadInAnyCaseAndWrittenInOne) {
  const auto again = [](std::string_view text) {
    const auto policy = parse_retention_policy(text);
    return policy ? format_retention_policy(*policy) : "nothing";
  };
  EXPECT_EQ(again("redundancy 3"), "REDUNDANCY 3");
  EXPECT_EQ(again("  Recovery  WINDOW of 1 day "), "RECOVERY WINDOW OF 1 DAYS");
  EXPECT_EQ(again("recovery window of 4 weeks"), "RECOVERY WINDOW OF 4 WEEKS");
  EXPECT_EQ(again("RECOVERY WINDOW OF 2 MONTH"), "RECOVERY WINDOW OF 2 MONTHS");
  for (const std::string_view text :
       {"", "redundancy", "redundancy x", "redundancy -1", "redundancy 1 2", "main",
        "recovery window of 4 hours", "recovery window 4 days", "redundancy 99999999999"}) {
    EXPECT_EQ(again(text), "nothing") << text;
  }
}

TEST(Redundancy, KeepsTheNewest) {
  const Case three{.backups = {backup(1), backup(2), backup(3)}};
  EXPECT_EQ(three.report("redundancy 2"), "OBSOLETE VALID VALID");
  EXPECT_EQ(three.report("redundancy 5"), "VALID VALID VALID");
  EXPECT_EQ(three.report("redundancy 0"), "OBSOLETE OBSOLETE OBSOLETE");
}

TEST(Redundancy, IsAtLeastTheMinimum) {
  const Case three{.backups = {backup(1), backup(2), backup(3)}, .minimum_redundancy = 2};
  EXPECT_EQ(three.report("redundancy 1"), "OBSOLETE VALID VALID");
}

TEST(Redundancy, OnlyCountsWhatIsDone) {
  const Case mixed{.backups = {backup(1), backup(2, BackupStatus::kFailed), backup(3, BackupStatus::kEmpty),
                               backup(4, BackupStatus::kWaitingForWals), backup(5)}};
  EXPECT_EQ(mixed.report("redundancy 2"), "VALID - - VALID");
}

TEST(Redundancy, KeptBackupsUseUpAPlace) {
  const Case kept{.backups = {backup(1), backup(2), backup(3)},
                  .kept = {{backup(3).id, "full"}, {backup(1).id, "standalone"}}};
  EXPECT_EQ(kept.report("redundancy 1"), "KEEP:STANDALONE OBSOLETE KEEP:FULL");
  EXPECT_EQ(kept.report("redundancy 2"), "KEEP:STANDALONE VALID KEEP:FULL");
}

TEST(Redundancy, IncrementalsFollowTheirRoot) {
  Case chain{.backups = {backup(1), backup(2, BackupStatus::kDone, 1), backup(3, BackupStatus::kDone, 2),
                         backup(4), backup(5, BackupStatus::kDone, 9)}};
  EXPECT_EQ(chain.report("redundancy 1"), "OBSOLETE OBSOLETE OBSOLETE VALID -");
  chain.kept = {{backup(1).id, "full"}};
  EXPECT_EQ(chain.report("redundancy 1"), "KEEP:FULL VALID VALID VALID -");
  chain.kept = {{backup(1).id, "standalone"}};
  EXPECT_EQ(chain.report("redundancy 1"), "KEEP:STANDALONE OBSOLETE OBSOLETE VALID -");
  EXPECT_EQ(chain.report("redundancy 2"), "KEEP:STANDALONE VALID VALID VALID -");
}

TEST(Window, TheFirstBackupBeforeItIsStillNeeded) {
  const Case five{.backups = {backup(1), backup(20), backup(23), backup(25), backup(30)}};
  EXPECT_EQ(five.report("recovery window of 1 week"), "OBSOLETE OBSOLETE VALID VALID VALID");
  EXPECT_EQ(five.report("recovery window of 7 days"), "OBSOLETE OBSOLETE VALID VALID VALID");
  EXPECT_EQ(five.report("recovery window of 1 month"), "VALID VALID VALID VALID VALID");
}

TEST(Window, WhatTheMinimumNeedsIsOnlyPotentiallyObsolete) {
  const Case old{.backups = {backup(1), backup(2), backup(3)}, .minimum_redundancy = 2};
  EXPECT_EQ(old.report("recovery window of 1 day"), "OBSOLETE OBSOLETE* VALID");
}

TEST(Window, KeptBackupsStay) {
  const Case old{.backups = {backup(1), backup(2), backup(3), backup(4, BackupStatus::kFailed)},
                 .kept = {{backup(1).id, "full"}}};
  EXPECT_EQ(old.report("recovery window of 1 day"), "KEEP:FULL OBSOLETE VALID -");
}

TEST(Window, IncrementalsOfAStandaloneRootGoWithTheWindow) {
  const Case chain{.backups = {backup(1), backup(2, BackupStatus::kDone, 1), backup(20), backup(30)},
                   .kept = {{backup(1).id, "standalone"}}};
  EXPECT_EQ(chain.report("recovery window of 3 days"), "KEEP:STANDALONE OBSOLETE VALID VALID");
  EXPECT_EQ(chain.report("recovery window of 4 weeks"), "KEEP:STANDALONE VALID VALID VALID");
}

TEST(Retention, ACircleOfParentsEnds) {
  const std::vector<BackupInfo> circle = {backup(1, BackupStatus::kDone, 2),
                                          backup(2, BackupStatus::kDone, 1)};
  EXPECT_FALSE(root_of(circle, circle[0]));
  EXPECT_EQ((Case{.backups = circle}.report("redundancy 1")), "- -");
}

TEST(Retention, RedundancyCountsDoneRoots) {
  EXPECT_EQ(
      redundancy({backup(1), backup(2, BackupStatus::kDone, 1), backup(3, BackupStatus::kWaitingForWals)}),
      1U);
}

}  // namespace
}  // namespace barman::catalog
