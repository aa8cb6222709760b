#include "engine/delete/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::ElementsAre;
using testing::HasSubstr;

BackupId backup_id(int day) { return {"2026010" + std::to_string(day) + "T000000"}; }

BackupInfo backup(int day, int parent = 0, BackupStatus status = BackupStatus::kDone) {
  BackupInfo info;
  info.id = backup_id(day);
  info.status = status;
  info.mode = "postgres";
  if (parent != 0) info.parent_backup_id = backup_id(parent);
  return info;
}

TEST(DeletePlan, DescendantsGoFirst) {
  const std::vector<BackupInfo> backups = {backup(1), backup(2, 1), backup(3, 2), backup(4, 1), backup(5)};
  EXPECT_THAT(tree_of(backups, backup_id(1)),
              ElementsAre(backup_id(3), backup_id(2), backup_id(4), backup_id(1)));
  EXPECT_THAT(tree_of(backups, backup_id(2)), ElementsAre(backup_id(3), backup_id(2)));
  EXPECT_THAT(tree_of(backups, backup_id(5)), ElementsAre(backup_id(5)));
}

TEST(DeletePlan, ChildrenAreThoseThatEitherSideKnows) {
  std::vector<BackupInfo> backups = {backup(1), backup(2)};
  backups[0].children_backup_ids = {backup_id(2), backup_id(9)};
  EXPECT_THAT(tree_of(backups, backup_id(1)), ElementsAre(backup_id(2), backup_id(1)));
}

TEST(DeletePlan, ACircleEnds) {
  EXPECT_THAT(tree_of({backup(1, 2), backup(2, 1)}, backup_id(1)), ElementsAre(backup_id(2), backup_id(1)));
}

TEST(DeletePlan, AKeptBackupIsRefused) {
  const std::vector<BackupInfo> backups = {backup(1), backup(2)};
  EXPECT_THAT(*plan_delete(backups, {{backup_id(1), "full"}}, 0, backups[0], "main").refusal,
              HasSubstr("keep request"));
  EXPECT_EQ(plan_delete(backups, {{backup_id(1), "full"}}, 0, backups[1], "main").refusal, std::nullopt);
}

TEST(DeletePlan, TheMinimumRedundancyIsKept) {
  const std::vector<BackupInfo> backups = {backup(1), backup(2), backup(3, 2),
                                           backup(4, 0, BackupStatus::kFailed)};
  EXPECT_EQ(
      plan_delete(backups, {}, 2, backups[0], "main").refusal,
      "Skipping delete of backup 20260101T000000 for server main due to minimum redundancy requirements "
      "(minimum redundancy = 2, current redundancy = 2)");
  EXPECT_EQ(plan_delete(backups, {}, 1, backups[0], "main").refusal, std::nullopt);
  EXPECT_EQ(plan_delete(backups, {}, 2, backups[2], "main").refusal, std::nullopt) << "an incremental";
  EXPECT_EQ(plan_delete(backups, {}, 2, backups[3], "main").refusal, std::nullopt) << "a failed one";
}

}  // namespace
}  // namespace barman::engine
