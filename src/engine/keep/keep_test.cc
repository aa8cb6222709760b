#include "engine/keep/keep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "catalog/file_names.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;
using testing::HasSubstr;

const BackupId kId{"20261101T100000"};

class KeepTest : public testing::Test {
 protected:
  void record(BackupStatus status, std::optional<BackupId> parent = std::nullopt) {
    BackupInfo info;
    info.id = kId;
    info.status = status;
    info.mode = "postgres";
    info.parent_backup_id = std::move(parent);
    catalog_.save(info);
  }
  void expect_refusal(const char* reason) {
    EXPECT_THAT(failure(ErrorKind::kRefused, [&] { keep_backup(catalog_, kId, "full"); }), HasSubstr(reason));
    EXPECT_EQ(catalog_.annotation(kId, catalog::kKeep), std::nullopt);
  }

  store::MemoryStore meta_, base_;
  catalog::Catalog catalog_{meta_, base_};
};

TEST_F(KeepTest, TheLastTargetHolds) {
  record(BackupStatus::kDone);
  keep_backup(catalog_, kId, "full");
  EXPECT_EQ(catalog_.annotation(kId, catalog::kKeep), "full");
  keep_backup(catalog_, kId, "standalone");
  EXPECT_EQ(catalog_.annotation(kId, catalog::kKeep), "standalone");
}

TEST_F(KeepTest, OnlyWholeFullBackupsAreKept) {
  record(BackupStatus::kWaitingForWals);
  expect_refusal("because it has status WAITING_FOR_WALS");
  record(BackupStatus::kFailed, BackupId{"20261031T100000"});
  expect_refusal("because it has status FAILED");
  record(BackupStatus::kDone, BackupId{"20261031T100000"});
  expect_refusal("is an incremental backup");
}

TEST_F(KeepTest, WhatIsHalfDeletedOrGoneIsNotKept) {
  expect_refusal("was deleted meanwhile");
  record(BackupStatus::kDone);
  catalog_.annotate(kId, catalog::kDeleteThis, "delete");
  expect_refusal("its deletion has begun");
}

}  // namespace
}  // namespace barman::engine
