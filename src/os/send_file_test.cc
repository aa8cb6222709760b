#include "os/send_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/error.h"

namespace barman::os {
namespace {

class SendFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "send.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    std::ofstream(directory_ / "in") << content_;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] Fd open_in() const { return Fd(::open((directory_ / "in").c_str(), O_RDONLY | O_CLOEXEC)); }
  std::string send_to_file(int flags) {
    const Fd out(::open((directory_ / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
    EXPECT_EQ(send_file(open_in(), "in", out.get(), "out"), content_.size());
    std::ostringstream all;
    all << std::ifstream(directory_ / "out").rdbuf();
    return all.str();
  }

  std::filesystem::path directory_;
  std::string content_ = std::string(300000, 'a') + std::string(9000000, '\0') + "end";
};

TEST_F(SendFile, ToAFile) { EXPECT_EQ(send_to_file(0), content_); }

TEST_F(SendFile, ToAFileOpenedForAppending) { EXPECT_EQ(send_to_file(O_APPEND), content_); }

TEST_F(SendFile, ToAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd out(ends[0]);
  Fd in(ends[1]);
  std::string received;
  std::thread reader([&] {
    char buffer[65536];
    while (true) {
      const ssize_t got = ::read(out.get(), buffer, sizeof buffer);
      if (got <= 0) return;
      received.append(buffer, static_cast<std::size_t>(got));
    }
  });
  send_file(open_in(), "in", in.get(), "pipe");
  in.close();
  reader.join();
  EXPECT_EQ(received, content_);
}

TEST_F(SendFile, AReaderThatWentAwayIsAFailure) {
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd in(ends[1]);
  ::close(ends[0]);
  EXPECT_THROW(send_file(open_in(), "in", in.get(), "pipe"), Error);
  std::signal(SIGPIPE, handler);
}

TEST_F(SendFile, HearsAStop) {
  std::stop_source stop;
  stop.request_stop();
  const Fd out(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_THROW(send_file(open_in(), "in", out.get(), "out", stop.get_token()), Error);
}

}  // namespace
}  // namespace barman::os
