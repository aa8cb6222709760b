#include "os/tree.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

#include "base/error.h"
#include "os/copy.h"
#include "os/disk.h"
#include "os/durable_file.h"
#include "os/signals.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

TEST(WalkTree, ShowsFoldersBeforeTheirFilesAndFollowsNoLinks) {
  const TestFolder folder;
  make_directories(folder / "t/b/c");
  write_file(folder / "t/b/c/1", "123");
  write_file(folder / "t/a", "1");
  std::filesystem::create_directory_symlink(folder.path(), folder / "t/loop");
  std::vector<std::string> seen;
  walk_tree(folder / "t", [&](const TreeEntry& entry) {
    seen.push_back(entry.relative.string());
    return true;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "b/c", "b/c/1", "loop"}));
}

TEST(WalkTree, StaysOutOfFoldersWhenTold) {
  const TestFolder folder;
  make_directories(folder / "a/b");
  int seen = 0;
  walk_tree(folder.path(), [&](const TreeEntry&) { return ++seen < 0; });
  EXPECT_EQ(seen, 1);
  EXPECT_THROW(walk_tree(folder / "none", [](const TreeEntry&) { return true; }), Error);
}

TEST(MeasureTree, CountsHardLinkedFilesOnceLess) {
  const TestFolder folder;
  write_file(folder / "one", "1234");
  write_file(folder / "two", "12345");
  std::filesystem::create_hard_link(folder / "two", folder / "again");
  const TreeSize size = measure_tree(folder.path());
  EXPECT_EQ(size.bytes, 14U);
  EXPECT_EQ(size.unique_bytes, 4U);
  EXPECT_EQ(size.files, 3U);
}

TEST(SyncTree, GoesThroughAllAndReportsFailure) {
  const TestFolder folder;
  for (int i = 0; i < 50; ++i) write_file(folder / std::to_string(i), "x", {.sync = false});
  make_directories(folder / "sub/sub");
  sync_tree(folder.path(), 4);
  EXPECT_THROW(sync_tree(folder / "none", 2), Error);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(sync_tree(folder.path(), 2, stop.get_token()), Error);
}

TEST(RemoveTree, SaysWhetherThereWasSomething) {
  const TestFolder folder;
  make_directories(folder / "a/b");
  write_file(folder / "a/b/c", "");
  EXPECT_TRUE(remove_tree(folder / "a"));
  EXPECT_FALSE(remove_tree(folder / "a"));
}

TEST(CopyFile, KeepsBytesModeAndTimeInKernelAndThroughMemory) {
  const TestFolder folder;
  const std::string text(3000000, 'q');
  write_file(folder / "from", text, {.mode = 0640});
  std::filesystem::last_write_time(folder / "from",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(5));
  std::uint64_t seen = 0;
  EXPECT_EQ(copy_whole_file(folder / "from", folder / "kernel", {}), text.size());
  EXPECT_EQ(copy_whole_file(folder / "from", folder / "memory",
                            {.see = [&](stream::Bytes data) { seen += data.size(); }}),
            text.size());
  EXPECT_EQ(seen, text.size());
  for (const char* name : {"kernel", "memory"}) {
    EXPECT_EQ(read_file(folder / name), text);
    EXPECT_EQ(std::filesystem::last_write_time(folder / name),
              std::filesystem::last_write_time(folder / "from"));
    EXPECT_EQ(std::filesystem::status(folder / name).permissions(), std::filesystem::perms(0640));
  }
}

TEST(CopyFile, NeverReplacesAndNeverFollowsALink) {
  const TestFolder folder;
  write_file(folder / "a", "1");
  write_file(folder / "b", "2");
  EXPECT_THROW(copy_whole_file(folder / "a", folder / "b", {}), Error);
  std::filesystem::create_symlink(folder / "a", folder / "link");
  EXPECT_THROW(copy_whole_file(folder / "link", folder / "c", {}), Error);
}

TEST(FreeBytes, LooksAtTheNearestFolderThatExists) {
  const TestFolder folder;
  EXPECT_GT(free_bytes(folder / "not/yet/there"), 0U);
  EXPECT_TRUE(same_file_system(folder.path(), folder / "not/yet"));
}

TEST(StopOnSignal, TurnsSignalsIntoARequest) {
  std::stop_source source;
  {
    const StopOnSignal handler(source);
    ::raise(SIGTERM);
    ::raise(SIGINT);
    while (!source.stop_requested()) std::this_thread::yield();
    EXPECT_EQ(handler.received(), SIGTERM);
  }
}

}  // namespace
}  // namespace barman::os
