#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace barman {
namespace {

namespace fs = std::filesystem;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return Time{std::chrono::microseconds(1795354201412345)}; }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
};

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    std::string name = testing::TempDir() + "barman_log_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  fs::path folder_;
  FixedClock clock_;
};

TEST_F(LogTest, WritesTimeProcessLoggerLevelAndMessage) {
  Log log({.file = folder_ / "barman.log"}, clock_);
  log.write(kLogWarning, "barman.backup", "be careful");
  EXPECT_EQ(text_of(folder_ / "barman.log"), "2026-11-22 13:30:01,412 [" + std::to_string(::getpid()) +
                                                 "] barman.backup WARNING: be careful\n");
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  Log log({.file = folder_ / "barman.log", .level = kLogError}, clock_);
  log.write(kLogWarning, "barman", "no");
  EXPECT_FALSE(fs::exists(folder_ / "barman.log"));
  log.write(kLogError, "barman", "yes");
  EXPECT_NE(text_of(folder_ / "barman.log").find("yes"), std::string::npos);
}

TEST_F(LogTest, MakesTheFolder) {
  Log log({.file = folder_ / "a" / "b" / "barman.log"}, clock_);
  log.write(kLogInfo, "barman", "hello");
  EXPECT_TRUE(fs::exists(folder_ / "a" / "b" / "barman.log"));
}

TEST_F(LogTest, FollowsARotation) {
  Log log({.file = folder_ / "barman.log", .format = "%(message)s"}, clock_);
  log.write(kLogInfo, "barman", "old");
  fs::rename(folder_ / "barman.log", folder_ / "barman.log.1");
  log.write(kLogInfo, "barman", "new");
  EXPECT_EQ(text_of(folder_ / "barman.log.1"), "old\n");
  EXPECT_EQ(text_of(folder_ / "barman.log"), "new\n");
}

TEST_F(LogTest, AppendsToWhatIsThere) {
  std::ofstream(folder_ / "barman.log") << "before\n";
  Log log({.file = folder_ / "barman.log", .format = "%(message)s"}, clock_);
  log.write(kLogInfo, "barman", "after");
  EXPECT_EQ(text_of(folder_ / "barman.log"), "before\nafter\n");
}

TEST_F(LogTest, FallsBackToStandardErrorWithOneWarning) {
  std::ofstream(folder_ / "file") << "";
  testing::internal::CaptureStderr();
  Log log({.file = folder_ / "file" / "barman.log", .format = "%(message)s"}, clock_);
  log.write(kLogInfo, "barman", "one");
  log.write(kLogInfo, "barman", "two");
  const std::string heard = testing::internal::GetCapturedStderr();
  EXPECT_EQ(heard.find("WARNING: "), 0U) << heard;
  EXPECT_EQ(heard.find("WARNING: ", 1), std::string::npos) << heard;
  EXPECT_NE(heard.find("\none\ntwo\n"), std::string::npos) << heard;
}

TEST_F(LogTest, FillsInTheFieldsOfAPythonFormat) {
  const Time now = clock_.now();
  EXPECT_EQ(
      format_log_line("%(levelname)-8s|%(levelno)5d|%(module)s", now, kLogInfo, "barman.wal_archiver", "m"),
      "INFO    |   20|wal_archiver");
  EXPECT_EQ(format_log_line("100%% %(message)s", now, kLogInfo, "barman", "m"), "100% m");
  EXPECT_EQ(format_log_line("%(nobody)s.", now, kLogInfo, "barman", "m"), ".");
  EXPECT_EQ(format_log_line("%(never", now, kLogInfo, "barman", "m"), "%(never");
  EXPECT_EQ(format_log_line("%", now, kLogInfo, "barman", "m"), "%");
}

TEST(LogLevelTest, IsANameInAnyCaseOrANumber) {
  EXPECT_EQ(parse_log_level("debug"), kLogDebug);
  EXPECT_EQ(parse_log_level("WARNING"), kLogWarning);
  EXPECT_EQ(parse_log_level("15"), 15);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
  EXPECT_EQ(parse_log_level("99999999999"), std::nullopt);
}

}  // namespace
}  // namespace barman
