#include "engine/restore/rewritten_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "base/error.h"
#include "engine/restore/chain_fixture.h"
#include "os/durable_file.h"
#include "os/test_folder.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

class Rewriting : public testing::Test {
 protected:
  // In pieces of that size.
  void rewrite(const std::string& text, std::size_t piece, unsigned mode = 0600) const {
    RewrittenFile file(path);
    for (std::size_t at = 0; at < text.size(); at += piece) {
      file.write(stream::bytes_of(std::string_view(text).substr(at, piece)));
    }
    file.close(mode);
  }
  [[nodiscard]] struct stat status() const {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status;
  }
  void make_old() const {
    const struct timespec long_ago[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0), 0);
  }

  os::TestFolder folder;
  fs::path path = folder / "file";
};

TEST_F(Rewriting, MakesAFileAndTheFoldersAboveIt) {
  path = folder / "a/b/file";
  rewrite("text", 3, 0640);
  EXPECT_EQ(os::read_file(path), "text");
  EXPECT_EQ(status().st_mode & 0777U, 0640U);
}

// Archives are read in parallel, and several may have the file.
TEST_F(Rewriting, SeveralMayBeginAFileAtOnce) {
  constexpr int kWriters = 4;
  for (int round = 0; round < 200; ++round) {
    fs::remove(path);
    std::atomic<int> failures = 0;
    {
      std::barrier together(kWriters);
      std::vector<std::jthread> writers;
      for (int i = 0; i < kWriters; ++i) {
        writers.emplace_back([&] {
          together.arrive_and_wait();
          try {
            rewrite("text", 3);
          } catch (const Error&) {
            ++failures;
          }
        });
      }
    }
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(os::read_file(path), "text");
  }
}

TEST_F(Rewriting, BytesThatAreTheSameAreNotWritten) {
  const std::string text = relation_blocks(std::string(80, 'x')) + "end";
  os::write_file(path, text);
  make_old();
  for (const std::size_t piece : {std::size_t{8192}, std::size_t{1000}, text.size()}) {
    rewrite(text, piece);
    EXPECT_EQ(os::read_file(path), text);
    EXPECT_EQ(status().st_mtime, 1000) << piece;
  }
}

TEST_F(Rewriting, OneByteThatDiffersIsRepairedWhereverItIs) {
  const std::string text = relation_blocks("abcd") + "end";
  for (std::size_t at = 0; at < text.size(); at += 1237) {
    std::string damaged = text;
    damaged[at] ^= 1;
    os::write_file(path, damaged);
    make_old();
    const ino_t inode = status().st_ino;
    rewrite(text, 5000);
    EXPECT_EQ(os::read_file(path), text) << at;
    EXPECT_NE(status().st_mtime, 1000);
    EXPECT_EQ(status().st_ino, inode);
  }
}

TEST_F(Rewriting, AShorterAndALongerFileGetTheirLength) {
  const std::string text = relation_blocks("abcd");
  for (const std::string& old : {std::string(), std::string("a"), relation_blocks("ab"),
                                 relation_blocks("abcde"), relation_blocks("zzzzzzzzz")}) {
    os::write_file(path, old);
    rewrite(text, 8192);
    EXPECT_EQ(os::read_file(path), text) << old.size();
    rewrite("", 1);
    EXPECT_EQ(os::read_file(path), "");
  }
}

TEST_F(Rewriting, ALinkIsReplacedAndNotFollowed) {
  os::write_file(folder / "elsewhere", "mine");
  fs::create_symlink(folder / "elsewhere", path);
  rewrite("text", 4);
  EXPECT_EQ(os::read_file(folder / "elsewhere"), "mine");
  EXPECT_FALSE(fs::is_symlink(path));
  EXPECT_EQ(os::read_file(path), "text");
}

TEST_F(Rewriting, AFolderInTheWayIsNamed) {
  os::make_directories(path, 0700);
  try {
    rewrite("text", 4);
    FAIL() << "a folder was written to";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(path.string()), std::string::npos);
  }
}

}  // namespace
}  // namespace barman::engine
