// What files look like when any one system call fails: whole, old or new, and the failure is told.
#include "os/failing_calls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "os/append_file.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/file_system_sync.h"
#include "os/lock_file.h"
#include "os/test_folder.h"
#include "os/tree.h"

namespace barman::os {
namespace {

namespace fs = std::filesystem;
using failing::Ended;

const std::vector<int> kAll = {SYS_openat, SYS_write, SYS_fsync, SYS_rename, SYS_link, SYS_mkdir, SYS_syncfs};

// Does `body` once for each call that can fail, with `after` behind each; every failure must be told.
void with_each_failure(int error, const std::function<void()>& body, const std::function<void()>& after) {
  if (!failing::kWorksHere) GTEST_SKIP() << "only on x86-64";
  for (int at = 1; at < 100; ++at) {
    SCOPED_TRACE(at);
    const Ended ended = failing::run({.calls = kAll, .at = at, .error = error}, body);
    if (ended == Ended::kNeverCameToIt) {
      EXPECT_GT(at, 1);
      return;
    }
    EXPECT_EQ(ended, Ended::kThrew);
    after();
  }
  FAIL() << "no end of calls";
}

TEST(AnyCallThatFails, LeavesTheOldOrTheNewText) {
  for (const int error : {EIO, ENOSPC, EROFS, EMFILE}) {
    const TestFolder folder;
    write_file(folder / "x", "old");
    with_each_failure(
        error, [&] { write_file(folder / "x", "new"); },
        [&] {
          const std::string text = read_file(folder / "x").value_or("gone");
          EXPECT_TRUE(text == "old" || text == "new") << text;
          EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
        });
  }
}

TEST(AnyCallThatFails, LeavesANewFileAbsentOrWhole) {
  const TestFolder folder;
  with_each_failure(
      EIO, [&] { write_file(folder / "x", "new", {.must_be_new = true}); },
      [&] {
        EXPECT_EQ(read_file(folder / "x").value_or("new"), "new");
        fs::remove(folder / "x");
        EXPECT_EQ(folder.names(), std::vector<std::string>{});
      });
}

TEST(AnyCallThatFails, NeverLosesAFileThatMoves) {
  const TestFolder folder;
  make_directories(folder / "a");
  make_directories(folder / "b");
  with_each_failure(
      EIO,
      [&] {
        if (!fs::exists(folder / "a/x")) write_file(folder / "a/x", "text", {.sync = false});
        move_file(folder / "a/x", folder / "b/x");
      },
      [&] {
        const auto moved = read_file(folder / "b/x");
        EXPECT_EQ(moved.value_or("text"), "text");
        fs::remove(folder / "b/x");
        EXPECT_TRUE(fs::is_empty(folder / "a") || fs::is_empty(folder / "b"));
      });
}

TEST(AnyCallThatFails, TakesBackWhatWasAppended) {
  const TestFolder folder;
  write_file(folder / "index", "one\n");
  with_each_failure(
      ENOSPC, [&] { append_to_file(folder / "index", "two\n"); },
      [&] { EXPECT_EQ(read_file(folder / "index"), "one\n"); });
}

TEST(AnyCallThatFails, IsToldByCopiesFoldersSyncsAndLocks) {
  const TestFolder folder;
  make_directories(folder / "tree/below");
  write_file(folder / "tree/below/x", "1");
  const auto nothing = [] {};
  with_each_failure(
      EIO, [&] { sync_tree(folder / "tree", 1); }, nothing);
  with_each_failure(
      EIO, [&] { FileSystemSync(folder / "tree").finish(); }, nothing);
  with_each_failure(
      EIO,
      [&] {
        copy_whole_file(folder / "tree/below/x", folder / "copy",
                        {.see = [](stream::Bytes) {}, .sync = true});
      },
      [&] { fs::remove(folder / "copy"); });
  with_each_failure(
      EIO, [&] { make_directories(folder / "new/deep"); }, [&] { fs::remove_all(folder / "new"); });
  with_each_failure(
      EMFILE, [&] { (void)LockFile::try_acquire(folder / "x.lock"); }, nothing);
}

TEST(ASignalInAnyCall, ChangesNothing) {
  if (!failing::kWorksHere) GTEST_SKIP() << "only on x86-64";
  const TestFolder folder;
  for (int at = 1;; ++at) {
    const Ended ended =
        failing::run({.calls = {SYS_openat, SYS_write, SYS_flock}, .at = at, .error = EINTR}, [&] {
          const auto lock = LockFile::acquire(folder / "x.lock");
          write_file(folder / "x", "new");
          append_to_file(folder / "x", "er");
        });
    if (ended == Ended::kNeverCameToIt) break;
    ASSERT_EQ(ended, Ended::kWell) << at;
    ASSERT_EQ(read_file(folder / "x"), "newer");
  }
}

}  // namespace
}  // namespace barman::os
