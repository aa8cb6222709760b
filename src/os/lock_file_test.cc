#include "os/lock_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

TEST(LockFile, IsHeldByOneAndSaysByWhom) {
  const TestFolder folder;
  const auto path = folder / ".main-backup.lock";
  auto lock = LockFile::try_acquire(path);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(LockFile::try_acquire(path));
  EXPECT_EQ(lock_owner(path), ::getpid());
  EXPECT_EQ(read_file(path), std::to_string(::getpid()) + "\n");
  lock.reset();
  EXPECT_EQ(lock_owner(path), std::nullopt);
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(LockFile::try_acquire(path));
}

TEST(LockFile, IsSharedByManyOrOwnedByOne) {
  const TestFolder folder;
  const auto path = folder / "x.lock";
  auto one = LockFile::try_share(path);
  const auto other = LockFile::try_share(path);
  EXPECT_TRUE(one && other);
  EXPECT_FALSE(LockFile::try_acquire(path));
  EXPECT_EQ(read_file(path), "");
  const TestFolder second;
  const auto owner = LockFile::try_acquire(second / "y.lock");
  EXPECT_FALSE(LockFile::try_share(second / "y.lock"));
}

TEST(LockFile, TakesOverAStaleFileWhateverItHolds) {
  const TestFolder folder;
  write_file(folder / "stale", "999999999999999\nrubbish that is longer than a pid\n");
  write_file(folder / "empty", "");
  EXPECT_EQ(lock_owner(folder / "stale"), std::nullopt);
  const auto stale = LockFile::try_acquire(folder / "stale");
  EXPECT_EQ(read_file(folder / "stale"), std::to_string(::getpid()) + "\n");
  EXPECT_TRUE(LockFile::try_acquire(folder / "empty"));
}

TEST(LockFile, NeedsItsFolder) {
  const TestFolder folder;
  EXPECT_THROW((void)LockFile::try_acquire(folder / "none/x.lock"), Error);
  EXPECT_EQ(lock_owner(folder / "none"), std::nullopt);
}

TEST(LockFile, NobodyHoldsItTwiceThoughACleanerUnlinksIt) {
  const TestFolder folder;
  const auto path = folder / "x.lock";
  std::atomic<int> holders{0};
  std::atomic<int> most{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        auto lock = LockFile::acquire(path);
        most = std::max(most.load(), ++holders);
        --holders;
        if (n % 3 == 0) lock.unlink();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace barman::os
