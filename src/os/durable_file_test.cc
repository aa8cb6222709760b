#include "os/durable_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <functional>
#include <vector>

#include "base/error.h"
#include "os/test_folder.h"

namespace barman::os {
namespace {

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// While it lives, no file may grow beyond `bytes`: the nearest thing to a full disk without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(DurableFile, HasItsNameOnlyWhenFinished) {
  const TestFolder folder;
  const auto file = create_file(folder / "x", {.mode = 0640});
  file->write(stream::bytes_of("hello"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  file->finish();
  EXPECT_EQ(read_file(folder / "x"), "hello");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(DurableFile, ALargeOneHoldsWhatWasWritten) {
  const TestFolder folder;
  std::string text;
  {
    const auto file = create_file(folder / "x", {.is_large = true});
    for (int i = 0; i < 20; ++i) {
      const std::string piece(1024 * 1024 + 1, static_cast<char>('a' + i));
      text += piece;
      file->write(stream::bytes_of(piece));
    }
    create_file(folder / "y", {.is_large = true})->write(stream::bytes_of(text));
    file->finish();
  }
  EXPECT_EQ(read_file(folder / "x"), text);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(DurableFile, LeavesNothingWhenAbandoned) {
  const TestFolder folder;
  write_file(folder / "x", "old");
  create_file(folder / "x")->write(stream::bytes_of("new"));
  EXPECT_EQ(read_file(folder / "x"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(DurableFile, KeepsTheOldTextWhenTheDiskIsFullAtAnyWrite) {
  const TestFolder folder;
  write_file(folder / "x", "old");
  for (rlim_t limit = 0; limit < 30; limit += 10) {
    const FileSizeLimit full(limit);
    const std::string message = message_of([&] {
      const auto file = create_file(folder / "x");
      for (int i = 0; i < 3; ++i) file->write(stream::bytes_of("0123456789"));
      file->finish();
    });
    EXPECT_NE(message.find("cannot write " + (folder / "x").string()), std::string::npos) << limit << message;
  }
  EXPECT_EQ(read_file(folder / "x"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(DurableFile, RefusesToReplaceWhatMustBeNew) {
  const TestFolder folder;
  write_file(folder / "x", "old");
  EXPECT_THROW(write_file(folder / "x", "new", {.must_be_new = true}), Error);
  EXPECT_EQ(read_file(folder / "x"), "old");
  write_file(folder / "y", "new", {.must_be_new = true});
  EXPECT_EQ(read_file(folder / "y"), "new");
}

TEST(DurableFile, NamesThePathWhenTheFolderIsMissing) {
  const TestFolder folder;
  EXPECT_NE(message_of([&] { write_file(folder / "no/x", ""); }).find("No such file or directory"),
            std::string::npos);
}

TEST(ReadFile, TellsAbsentFromUnreadable) {
  const TestFolder folder;
  EXPECT_EQ(read_file(folder / "none"), std::nullopt);
  EXPECT_THROW((void)read_file(folder.path()), Error);
  write_file(folder / "big", "0123456789");
  EXPECT_THROW((void)read_file(folder / "big", 9), Error);
}

TEST(OpenFile, StartsAtTheOffset) {
  const TestFolder folder;
  write_file(folder / "x", "0123456789");
  std::byte buffer[4];
  const auto source = open_file(folder / "x", 8);
  EXPECT_EQ(source->read(buffer), 2U);
  EXPECT_EQ(source->read(buffer), 0U);
}

TEST(MakeDirectories, MakesAllAndAcceptsWhatIsThere) {
  const TestFolder folder;
  make_directories(folder / "a/b/c");
  make_directories(folder / "a/b/c");
  make_directories(folder / "a/b/d/");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/d"));
  write_file(folder / "file", "");
  EXPECT_THROW(make_directories(folder / "file/x"), Error);
}

TEST(RemoveFile, SaysWhetherThereWasOne) {
  const TestFolder folder;
  write_file(folder / "x", "");
  EXPECT_TRUE(remove_file(folder / "x"));
  EXPECT_FALSE(remove_file(folder / "x"));
}

TEST(MoveFile, KeepsBytesAndTimesAcrossFileSystems) {
  const TestFolder folder;
  std::string other = "/dev/shm/barman-test-XXXXXX";
  ASSERT_NE(mkdtemp(other.data()), nullptr);
  write_file(other + "/x", "bytes");
  const auto time = std::filesystem::last_write_time(other + "/x");
  move_file(other + "/x", folder / "y");
  EXPECT_EQ(read_file(folder / "y"), "bytes");
  EXPECT_EQ(std::filesystem::last_write_time(folder / "y"), time);
  EXPECT_FALSE(std::filesystem::exists(other + "/x"));
  std::filesystem::remove_all(other);
}

}  // namespace
}  // namespace barman::os
