#include "engine/restore/destination.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

class Destination : public testing::Test {
 protected:
  Destination() {
    std::string name = (fs::temp_directory_path() / "destination-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~Destination() override { fs::remove_all(root_); }

  [[nodiscard]] fs::path at(const std::string& name) const { return root_ / name; }
  [[nodiscard]] RestoreFolder folder(const std::string& name, std::uint64_t bytes = 0) const {
    return {.to = at(name), .bytes = bytes};
  }
  [[nodiscard]] std::string refusal(const std::vector<RestoreFolder>& folders) const {
    try {
      check_folders(folders);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kRefused);
      return e.what();
    }
    return "";
  }

  fs::path root_;
};

TEST_F(Destination, MayBeAbsentEmptyOrAMountPoint) {
  fs::create_directories(at("empty"));
  fs::create_directories(at("mounted/lost+found"));
  EXPECT_EQ(refusal({folder("absent/far/below")}), "");
  EXPECT_EQ(refusal({folder("empty")}), "");
  EXPECT_EQ(refusal({folder("mounted")}), "");
  EXPECT_FALSE(fs::exists(at("absent")));
}

TEST_F(Destination, MayNotHoldAnythingHiddenFilesIncluded) {
  os::make_directories(at("full"));
  os::write_file(at("full") / ".hidden", "");
  EXPECT_NE(refusal({folder("full")}).find("not empty"), std::string::npos);
  EXPECT_NE(refusal({folder("data"), folder("full")}).find("full is not empty"), std::string::npos);
}

TEST_F(Destination, MayNotBeAFileALostLinkOrARunningServer) {
  os::write_file(at("file"), "");
  EXPECT_NE(refusal({folder("file")}), "");
  EXPECT_NE(refusal({folder("file/below")}), "");
  fs::create_symlink(at("nowhere"), at("link"));
  EXPECT_NE(refusal({folder("link")}), "");
  os::make_directories(at("server"));
  os::write_file(at("server") / "postmaster.pid", "1\n");
  EXPECT_NE(refusal({folder("server")}).find("runs in"), std::string::npos);
}

TEST_F(Destination, FoldersMayNotBeSharedButATablespaceMayLieInTheData) {
  EXPECT_NE(refusal({folder("a"), folder("a")}), "");
  EXPECT_NE(refusal({folder("a/b"), folder("a")}), "");
  EXPECT_NE(refusal({folder("a"), folder("t"), folder("t/u")}), "");
  EXPECT_EQ(refusal({folder("a"), folder("a/t"), folder("ab")}), "");
}

TEST_F(Destination, NeedsRoomForAllThatGoesToOneFileSystem) {
  const std::uint64_t huge = std::uint64_t{1} << 60U;
  const std::string why = refusal({folder("a", huge)});
  EXPECT_NE(why.find("not enough room"), std::string::npos);
  EXPECT_NE(why.find("1.0 EiB needed"), std::string::npos) << why;
  EXPECT_NE(refusal({folder("a", huge / 2), folder("b", huge / 2)}).find("1.0 EiB needed"),
            std::string::npos);
}

TEST_F(Destination, OfAnInterruptedRestoreIsStartedAnew) {
  prepare_folders({folder("data"), folder("space")});
  os::write_file(at("data") / "PG_VERSION", "15\n");
  os::make_directories(at("space") / "PG_15/1");
  EXPECT_EQ(refusal({folder("data"), folder("space")}), "");
  prepare_folders({folder("data"), folder("space")});
  EXPECT_FALSE(fs::exists(at("data") / "PG_VERSION"));
  EXPECT_FALSE(fs::exists(at("space") / "PG_15"));
  EXPECT_TRUE(fs::exists(at("data") / kIncompleteMark));
}

TEST_F(Destination, ThatIsCompleteIsNeverStartedAnewThoughAMarkWasLeft) {
  prepare_folders({folder("data"), folder("space")});
  os::make_directories(at("data") / "global");
  os::write_file(at("data") / "global/pg_control", "whole");
  EXPECT_NE(refusal({folder("data"), folder("space")}), "");
  remove_marks({folder("data"), folder("space")});
  EXPECT_FALSE(fs::exists(at("space") / kIncompleteMark));
}

TEST_F(Destination, IsMadeForItsOwnerOnly) {
  prepare_folders({folder("a/b")});
  EXPECT_EQ(fs::status(at("a/b")).permissions(), fs::perms(0700));
}

}  // namespace
}  // namespace barman::engine
