#include "engine/server/encryption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/expect_failure.h"
#include "os/process.h"
#include "os/test_folder.h"

namespace barman::engine {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::milliseconds kShort{300};
constexpr std::chrono::seconds kSoon{60};  // much less than the commands below would take

class PassphraseCommandTest : public testing::Test {
 protected:
  [[nodiscard]] PassphraseCommand command(const std::string& words) { return {words, {}, runner_, kShort}; }
  [[nodiscard]] std::string runs() const {
    std::ostringstream all;
    all << std::ifstream(folder_ / "runs").rdbuf();
    return all.str();
  }
  [[nodiscard]] std::string counting(const std::string& words) const {
    return "echo x >> " + (folder_ / "runs").string() + "; " + words;
  }

  os::TestFolder folder_;
  os::LocalRunner runner_;
};

TEST_F(PassphraseCommandTest, RunsOnceForAll) {
  PassphraseCommand command(counting("echo sesame"), {}, runner_);
  EXPECT_EQ(command.get()->text(), "sesame");
  EXPECT_EQ(command.get()->text(), "sesame");
  EXPECT_EQ(runs(), "x\n");
}

TEST_F(PassphraseCommandTest, OneThatHangsIsEndedAndNotTriedAgain) {
  auto command = this->command(counting("echo sesame; exec sleep 1000"));
  const auto began = steady_clock::now();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)command.get(); }),
                AllOf(HasSubstr("did not end within 0.3 seconds"), HasSubstr("run it by hand"),
                      Not(HasSubstr("sesame"))));
  }
  EXPECT_LT(steady_clock::now() - began, kSoon);
  EXPECT_EQ(runs(), "x\n");
}

TEST_F(PassphraseCommandTest, OneThatClosesItsOutputAndGoesOnIsEnded) {
  auto command = this->command("exec >&-; exec sleep 1000");
  const auto began = steady_clock::now();
  EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)command.get(); }), HasSubstr("did not end within"));
  EXPECT_LT(steady_clock::now() - began, kSoon);
}

TEST_F(PassphraseCommandTest, AFailureIsSaidEachTimeButTheCommandRunsOnce) {
  PassphraseCommand command(counting("exit 3"), {}, runner_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(failure(ErrorKind::kFailed, [&] { (void)command.get(); }), HasSubstr("command failed"));
  }
  EXPECT_EQ(runs(), "x\n");
}

TEST_F(PassphraseCommandTest, WhoeverStopsItIsNotToldOfTheLimit) {
  PassphraseCommand command(counting("exec sleep 1000"), {}, runner_);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(failure(ErrorKind::kCancelled, [&] { (void)command.get(stop.get_token()); }),
              Not(HasSubstr("did not end within")));
}

}  // namespace
}  // namespace barman::engine
