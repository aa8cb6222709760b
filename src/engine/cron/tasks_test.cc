#include "engine/cron/tasks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/wal/scratch_home.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

TEST(RunningTasks, AreThoseWhoseLockIsHeld) {
  const ScratchHome scratch;
  const auto receiver = os::LockFile::acquire(scratch.home.receive_lock());
  const auto other_server = os::LockFile::acquire(scratch.home.locks / ".main2-backup.lock");
  const auto one_backup = os::LockFile::acquire(scratch.home.locks / ".main-20260101T000000.lock");
  { const auto released = os::LockFile::acquire(scratch.home.backup_lock()); }
  const auto tasks = running_tasks(scratch.home);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].name, "receive-wal");
  EXPECT_EQ(tasks[0].pid, ::getpid());
}

TEST(RunningTasks, TellSyncBackupFromBackup) {
  const ScratchHome scratch;
  const auto sync = os::LockFile::acquire(scratch.home.locks / ".main-20260101T000000-sync-backup.lock");
  const auto tasks = running_tasks(scratch.home);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].name, "sync-backup");
}

TEST(RunningTasks, BelongToOneServerThoughNamesBeginAlike) {
  const ScratchHome scratch;
  const auto of_main_b =
      os::LockFile::acquire(scratch.home.locks / ".main-b-20260101T000000-sync-backup.lock");
  const auto also = os::LockFile::acquire(scratch.home.locks / ".main-b-backup.lock");
  EXPECT_TRUE(running_tasks(scratch.home).empty());
}

TEST(CleanLockFiles, RemovesOnlyWhatNobodyHolds) {
  const ScratchHome scratch;
  const auto held = os::LockFile::acquire(scratch.home.receive_lock());
  { const auto released = os::LockFile::acquire(scratch.home.backup_lock()); }
  clean_lock_files(scratch.home.locks);
  EXPECT_TRUE(std::filesystem::exists(scratch.home.receive_lock()));
  EXPECT_FALSE(std::filesystem::exists(scratch.home.backup_lock()));
}

}  // namespace
}  // namespace barman::engine
