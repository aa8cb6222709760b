#include "report/writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace barman::report {
namespace {

class StepClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  bool sleep(std::chrono::milliseconds, const std::stop_token&) override { return true; }
  Time now_{std::chrono::seconds(1795354201)};
};

// A FILE whose text can be read back.
class Captured {
 public:
  Captured() : file_(::open_memstream(&text_, &size_)) {}
  ~Captured() {
    std::fclose(file_);
    std::free(text_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::FILE* file() const { return file_; }
  std::string text() {
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<Writer> writer(WriterOptions options) {
    options.out = out_.file();
    options.err = err_.file();
    return make_writer(options, log_, clock_);
  }
  std::string logged() const {
    std::ostringstream text;
    text << std::ifstream(log_file_).rdbuf();
    return text.str();
  }
  void TearDown() override { ::unlink(log_file_.c_str()); }

  std::string log_file_ = testing::TempDir() + "writer_test_" + std::to_string(::getpid()) + ".log";
  StepClock clock_;
  Log log_{{.file = log_file_, .level = kLogInfo, .format = "%(name)s %(levelname)s %(message)s"}, clock_};
  Captured out_;
  Captured err_;
};

TEST_F(WriterTest, ConsoleSendsInfoToStandardOutputAndTheRestToStandardError) {
  const auto out = writer({.debug = true});
  out->info("going on");
  out->warning("careful");
  out->error("broken");
  out->exception("unexpected");
  out->debug("detail");
  out->finish();
  EXPECT_EQ(out_.text(), "going on\n");
  EXPECT_EQ(err_.text(), "WARNING: careful\nERROR: broken\nEXCEPTION: unexpected\nDEBUG: detail\n");
}

TEST_F(WriterTest, OnlyErrorsChangeTheExitStatus) {
  const auto out = writer({});
  out->info("a");
  out->warning("b");
  EXPECT_EQ(out->exit_status(), 0);
  out->error("c");
  EXPECT_EQ(out->exit_status(), 1);
}

TEST_F(WriterTest, AFailedCheckChangesTheExitStatusWithoutWords) {
  const auto out = writer({});
  out->fail();
  EXPECT_EQ(out->exit_status(), 1);
  EXPECT_EQ(err_.text(), "");
}

TEST_F(WriterTest, QuietDropsWhatGoesToStandardOutput) {
  const auto out = writer({.quiet = true});
  out->info("a");
  out->line("b");
  out->notice("c");
  out->warning("d");
  EXPECT_EQ(out_.text(), "");
  EXPECT_EQ(err_.text(), "WARNING: d\n");
}

TEST_F(WriterTest, ResultLinesAreNotLogged) {
  const auto out = writer({.logger = "barman.backup"});
  out->info("info");
  out->line("line");
  out->notice("notice");
  out->error("error");
  out->log(engine::LogLevel::kInfo, "only logged");
  EXPECT_EQ(logged(), "barman.backup INFO info\nbarman.backup ERROR error\nbarman.backup INFO only logged\n");
  EXPECT_EQ(out_.text(), "info\nline\nnotice\n");
}

TEST_F(WriterTest, ColoursTheWholeLineOfAnError) {
  const auto out = writer({.colours = true});
  out->error("no");
  out->warning("hm");
  out->info("plain");
  EXPECT_EQ(err_.text(), "\033[31mERROR: no\033[0m\n\033[33mWARNING: hm\033[0m\n");
  EXPECT_EQ(out_.text(), "plain\n");
  EXPECT_EQ(out->paint(Colour::kGreen, "OK"), "\033[32mOK\033[0m");
}

TEST_F(WriterTest, SecretsNeitherGetOutNorIntoTheLog) {
  for (const Format format : {Format::kConsole, Format::kJson}) {
    const auto out = writer({.format = format, .debug = true});
    for (const char* text : {"password=s3cret", "postgres://u:s3cret@h/"}) {
      out->info(text);
      out->line(text);
      out->notice(text);
      out->warning(text);
      out->error(text);
      out->exception(text);
      out->debug(text);
      out->log(engine::LogLevel::kError, text);
      out->put({"main", "conninfo"}, json_string(text));
    }
    out->finish();
  }
  EXPECT_EQ((out_.text() + err_.text() + logged()).find("s3cret"), std::string::npos);
}

TEST_F(WriterTest, JsonIsOneSortedObjectWithoutNewline) {
  const auto out = writer({.format = Format::kJson});
  out->info("b");
  out->put({"main", "size"}, "12");
  out->put({"main", "list"}, R"([1,{"z":null,"a":1.5}])");
  out->put({"alpha"}, R"({"name":"Ünï"})");
  out->warning("w");
  EXPECT_EQ(out_.text(), "");
  out->finish();
  EXPECT_EQ(out_.text(), R"({"_INFO": ["b"], "_WARNING": ["w"], "alpha": {"name": "\u00dcn\u00ef"}, )"
                         R"("main": {"list": [1, {"a": 1.5, "z": null}], "size": 12}})");
  EXPECT_EQ(err_.text(), "");
}

TEST_F(WriterTest, JsonOfNothingIsAnEmptyObject) {
  const auto out = writer({.format = Format::kJson});
  out->line("a result for the console");
  out->debug("not asked for");
  out->finish();
  EXPECT_EQ(out_.text(), "{}");
}

TEST_F(WriterTest, JsonAppendsToArrays) {
  const auto out = writer({.format = Format::kJson});
  out->append({"main"}, R"({"backup_id":"1"})");
  out->append({"main"}, R"({"backup_id":"2"})");
  out->finish();
  EXPECT_EQ(out_.text(), R"({"main": [{"backup_id": "1"}, {"backup_id": "2"}]})");
}

TEST_F(WriterTest, JsonSurvivesTextThatIsNotUtf8) {
  const auto out = writer({.format = Format::kJson});
  out->info(
      "a\xff"
      "b");
  out->finish();
  EXPECT_EQ(out_.text(), R"({"_INFO": ["a\ufffdb"]})");
}

TEST_F(WriterTest, QuietJsonPrintsNothing) {
  const auto out = writer({.format = Format::kJson, .quiet = true});
  out->error("e");
  out->finish();
  EXPECT_EQ(out_.text(), "");
  EXPECT_EQ(out->exit_status(), 1);
}

TEST_F(WriterTest, RefusesAResultThatIsNotJson) {
  const auto out = writer({.format = Format::kJson});
  EXPECT_THROW(out->put({"main"}, "{oops"), std::logic_error);
}

TEST_F(WriterTest, MutedWritersOnlyCountAndLog) {
  for (const Format format : {Format::kConsole, Format::kJson}) {
    const auto out = writer({.format = format});
    out->mute();
    out->error("e");
    out->info("i");
    out->finish();
    EXPECT_EQ(out->exit_status(), 1);
  }
  EXPECT_EQ(out_.text() + err_.text(), "");
  EXPECT_NE(logged().find("ERROR e"), std::string::npos);
}

TEST_F(WriterTest, AReaderWhoLeftIsTold) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  const auto out = make_writer({.out = full, .err = err_.file()}, log_, clock_);
  out->info("a");
  out->info("b");
  EXPECT_THROW(out->finish(), Error);
  std::fclose(full);
}

TEST_F(WriterTest, ProgressIsShownOnATerminalOnly) {
  const auto out = writer({});
  out->progress({.phase = "copying", .done = 1, .expected = 2});
  EXPECT_EQ(err_.text(), "");
}

TEST_F(WriterTest, ProgressSaysPercentRateAndTimeLeft) {
  const auto out = writer({.progress = true});
  out->progress({.phase = "copying", .done = 0, .expected = 1024U * 1024 * 100});
  clock_.now_ += std::chrono::milliseconds(50);
  out->progress({.phase = "copying", .done = 1024, .expected = 1024U * 1024 * 100});  // too soon
  clock_.now_ += std::chrono::milliseconds(1950);
  out->progress({.phase = "copying", .done = 1024U * 1024 * 20, .expected = 1024U * 1024 * 100});
  out->info("done");
  EXPECT_EQ(err_.text(),
            "\r\033[Kcopying   0%, 0 B of 100.0 MiB"
            "\r\033[Kcopying  20%, 20.0 MiB of 100.0 MiB, 10.0 MiB/s, 0:08 left"
            "\r\033[K");
}

TEST_F(WriterTest, ProgressOfUnknownLengthSaysWhatIsDone) {
  const auto out = writer({.progress = true});
  out->progress({.phase = "receiving", .done = 2048});
  EXPECT_EQ(err_.text(), "\r\033[Kreceiving 2.0 KiB");
}

}  // namespace
}  // namespace barman::report
