#include "os/append_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/error.h"

namespace barman::os {
namespace {

class AppendToFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "append.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "index";
    std::ofstream(path_) << "one\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(AppendToFile, AddsBehindTheEnd) {
  append_to_file(path_, "two\n");
  append_to_file(path_, "");
  append_to_file(path_, "three\n");
  EXPECT_EQ(text(), "one\ntwo\nthree\n");
}

TEST_F(AppendToFile, RefusesAMissingFile) {
  EXPECT_THROW(append_to_file(directory_ / "other", "x"), Error);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "other"));
}

TEST_F(AppendToFile, TakesBackWhatCannotBeWrittenWhole) {
  // A limit on the size of files cuts the write short, as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(append_to_file(path_, std::string(5000, 'x')), Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(text(), "one\n");
}

}  // namespace
}  // namespace barman::os
