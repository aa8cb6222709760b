#include "os/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "os/test_folder.h"
#include "stream/memory.h"

namespace barman::os {
namespace {

using namespace std::chrono_literals;

TEST(LocalRunner, CarriesInputOutputAndStatus) {
  LocalRunner runner;
  stream::MemorySource in(std::string(300000, 'x'));
  std::string out;
  std::string err;
  stream::AppendTo out_sink(out);
  stream::AppendTo err_sink(err);
  const Exit exit =
      runner.run({.argv = {"sh", "-c", "cat; echo \"$GREETING\" >&2; exit 3"}, .env = {{"GREETING", "hi"}}},
                 {.in = &in, .out = &out_sink, .err = &err_sink}, {});
  EXPECT_EQ(exit.status, 3);
  EXPECT_EQ(out.size(), 300000U);
  EXPECT_EQ(err, "hi\n");
}

TEST(LocalRunner, FindsTheProgramInThePathOfTheChild) {
  const TestFolder folder;
  const std::filesystem::path program = folder / "greet-by-path";
  std::ofstream(program) << "#!/bin/sh\necho found\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  LocalRunner runner;
  std::string out;
  stream::AppendTo out_sink(out);
  const Command command{.argv = {"greet-by-path"},
                        .env = {{"PATH", "/nowhere:" + program.parent_path().string() + ":/usr/bin:/bin"}}};
  EXPECT_TRUE(runner.run(command, {.out = &out_sink}, {}).ok());
  EXPECT_EQ(out, "found\n");
}

TEST(LocalRunner, HandsASecretOverAtDescriptorThree) {
  LocalRunner runner;
  stream::MemorySource in("input");
  std::string out;
  stream::AppendTo out_sink(out);
  const Exit exit = runner.run({.argv = {"sh", "-c", "cat <&3; cat; env; tr '\\0' ' ' </proc/$$/cmdline"}},
                               {.in = &in, .out = &out_sink, .secret = "open sesame"}, {});
  EXPECT_TRUE(exit.ok());
  EXPECT_TRUE(out.starts_with("open sesameinput")) << out;
  EXPECT_EQ(out.find("sesame", 16), std::string::npos);
}

TEST(LocalRunner, WithoutASecretThereIsNoDescriptorThree) {
  LocalRunner runner;
  EXPECT_FALSE(runner.run({.argv = {"sh", "-c", "cat <&3"}}, {}, {}).ok());
}

TEST(LocalRunner, RefusesASecretThatAPipeMightNotHold) {
  LocalRunner runner;
  const std::string secret(5000, 'x');
  EXPECT_THROW(runner.run({.argv = {"true"}}, {.secret = secret}, {}), Error);
}

TEST(LocalRunner, SaysWhichSignalEndedTheChild) {
  LocalRunner runner;
  const Exit exit = runner.run({.argv = {"sh", "-c", "kill -9 $$"}}, {}, {});
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_FALSE(exit.ok());
}

TEST(LocalRunner, SaysWhenTheProgramIsMissing) {
  LocalRunner runner;
  try {
    runner.run({.argv = {"/no/such/program"}}, {}, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "cannot start /no/such/program: No such file or directory");
  }
}

TEST(LocalRunner, NeverUsesAShell) {
  LocalRunner runner;
  std::string out;
  stream::AppendTo sink(out);
  runner.run({.argv = {"printf", "%s", "$HOME; rm -rf x"}}, {.out = &sink}, {});
  EXPECT_EQ(out, "$HOME; rm -rf x");
}

TEST(LocalRunner, EndsTheChildWhenAskedToStop) {
  LocalRunner runner;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(runner.run({.argv = {"sleep", "60"}}, {}, stop.get_token()), Error);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

}  // namespace
}  // namespace barman::os
