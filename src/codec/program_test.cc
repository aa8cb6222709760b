#include "codec/program.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "base/error.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

stream::Stage shell(os::ProcessRunner& runner, const std::string& line) {
  return through_program(runner, {.command = {.argv = {"sh", "-c", line}},
                                  .judge = [](const os::Exit& exit, const std::string& err) {
                                    require_success("the filter", exit, err);
                                  }});
}

// A program that does not read everything must not end the tests; the program barman ignores the signal too.
class ThroughProgram : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
};

std::string through_shell(const std::string& line, std::string_view text) {
  os::LocalRunner runner;
  std::string out;
  const auto path = stream::chain(shell(runner, line), std::make_unique<stream::AppendTo>(out));
  path->write(stream::bytes_of(text));
  path->finish();
  return out;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST_F(ThroughProgram, PassesOnWhatTheProgramMakesOfIt) {
  EXPECT_EQ(through_shell("tr a-z A-Z", "some text"), "SOME TEXT");
  EXPECT_EQ(through_shell("cat", ""), "");
  EXPECT_EQ(through_shell("echo from nothing", ""), "from nothing\n");
}

TEST_F(ThroughProgram, MoreThanAnyPipeHoldsPasses) {
  std::string text;
  while (text.size() < 5000000) text += std::to_string(text.size());
  EXPECT_EQ(through_shell("cat", text), text);
}

TEST_F(ThroughProgram, AFailureIsToldWithTheLastWords) {
  EXPECT_EQ(message_of([] { through_shell("cat >/dev/null; echo no space >&2; exit 3", "text"); }),
            "the filter ended with exit status 3: no space");
  EXPECT_EQ(message_of([] { through_shell("kill -9 $$", "text"); }), "the filter was ended by signal 9");
}

TEST_F(ThroughProgram, AProgramThatEndsInTheMiddleIsJudgedByItsStatus) {
  const std::string much(3000000, 'x');
  EXPECT_EQ(through_shell("head -c 5", much), "xxxxx");
  EXPECT_NE(message_of([&] { through_shell("head -c 5; exit 1", much); }).find("exit status 1"),
            std::string::npos);
}

TEST_F(ThroughProgram, AProgramThatIsNotThereIsNamedWithWhatToDo) {
  os::LocalRunner runner;
  std::string out;
  const auto stage = through_program(
      runner, {.command = {.argv = {"/nowhere/filter"}, .if_missing = "install it"}, .judge = {}});
  const auto path = stream::chain(stage, std::make_unique<stream::AppendTo>(out));
  EXPECT_EQ(message_of([&] { path->finish(); }),
            "cannot start /nowhere/filter: No such file or directory; install it");
}

class Refusing final : public stream::Sink {
 public:
  void write(stream::Bytes) override { throw Error(ErrorKind::kFailed, "disk full"); }
  void finish() override {}
};

TEST_F(ThroughProgram, AFailureBehindTheProgramComesOutInFront) {
  os::LocalRunner runner;
  const auto path = stream::chain(shell(runner, "cat"), std::make_unique<Refusing>());
  const std::string much(3000000, 'x');
  EXPECT_EQ(message_of([&] {
              path->write(stream::bytes_of(much));
              path->finish();
            }),
            "disk full");
}

TEST_F(ThroughProgram, AbandonedEndsAProgramThatWouldGoOnForEver) {
  os::LocalRunner runner;
  std::string out;
  const auto start = std::chrono::steady_clock::now();
  {
    const auto path = stream::chain(shell(runner, "exec sleep 60"), std::make_unique<stream::AppendTo>(out));
    path->write(stream::bytes_of("text"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace barman::codec
