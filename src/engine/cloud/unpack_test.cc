#include "engine/cloud/unpack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "codec/tar_writer.h"
#include "os/durable_file.h"
#include "os/test_folder.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

class UnpackTest : public testing::Test {
 protected:
  UnpackTest() { fs::create_directory(root_); }

  void file(const std::string& path, const std::string& content) {
    tar_.begin_file(path, content.size(), {});
    tar_.data(stream::bytes_of(content));
    tar_.end_file();
  }
  void unpack() {
    Unpack receiver(folder_);
    codec::TarReader reader(receiver);
    reader.write(stream::bytes_of(std::exchange(text_, {})));
  }

  std::string text_;
  stream::AppendTo sink_{text_};
  codec::TarWriter tar_{sink_};
  os::TestFolder scratch_;
  fs::path root_ = scratch_ / "to";
  UnpackFolder folder_{root_};
};

TEST_F(UnpackTest, TheLastOfTwoFilesOfANameStays) {
  file("backup_label", "the first, which is longer");
  file("./backup_label", "the last");
  unpack();
  EXPECT_EQ(os::read_file(root_ / "backup_label"), "the last");
}

TEST_F(UnpackTest, ALinkIsNotFollowed) {
  os::write_file(scratch_ / "outside", "as it was");
  tar_.symlink("link", (scratch_ / "outside").string(), {});
  file("link", "evil");
  EXPECT_THROW(unpack(), Error);
  tar_.symlink("folder", scratch_.path().string(), {});
  file("folder/outside", "evil");
  EXPECT_THROW(unpack(), Error);
  EXPECT_EQ(os::read_file(scratch_ / "outside"), "as it was");
}

TEST_F(UnpackTest, TheControlFileAppearsWhenItIsRevealed) {
  file("global/pg_control", "control");
  unpack();
  EXPECT_FALSE(fs::exists(root_ / "global/pg_control"));
  folder_.reveal_control_file();
  EXPECT_EQ(os::read_file(root_ / "global/pg_control"), "control");
}

}  // namespace
}  // namespace barman::engine
