#include "engine/upload/page_check.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "engine/server/inspect.h"
#include "engine/server/scripted_session.h"
#include "engine/upload/acting_clock.h"
#include "engine/upload/sample_page.h"
#include "os/fd.h"
#include "os/test_folder.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PageCheckTest : public testing::Test {
 protected:
  // Reads the file as a backup does, in one piece.
  void look_at(const std::string& text, std::uint32_t segment = 0) {
    write_sample(path, text);
    read = text;
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    check.look(fd.get(), path, segment, 0, std::as_writable_bytes(std::span(read)));
  }
  [[nodiscard]] std::vector<std::uint32_t> damaged() const {
    const auto files = check.damaged();
    return files.empty() ? std::vector<std::uint32_t>() : files.front().blocks;
  }

  os::TestFolder folder;
  const std::filesystem::path path = folder / "16384";
  ActingClock clock;
  PageCheck check{PageLayout{}, clock};
  std::string read;  // what the backup gets
};

TEST_F(PageCheckTest, SoundPagesAreReadOnce) {
  look_at(sample_page(0) + sample_page(1) + std::string(kSamplePage, '\0') + sample_page(3));
  EXPECT_THAT(check.damaged(), IsEmpty());
  EXPECT_EQ(clock.sleeps, 0);
}

TEST_F(PageCheckTest, ATornPageIsReadAgainUntilItIsWhole) {
  const std::string good = sample_page(0) + sample_page(1) + sample_page(2);
  std::string torn = good;
  torn.replace(kSamplePage + kSamplePage / 2, kSamplePage / 2, std::string(kSamplePage / 2, 'x'));
  clock.while_asleep = [&](int sleeps) {
    if (sleeps == 3) write_sample(path, good);
  };
  look_at(torn);
  EXPECT_THAT(check.damaged(), IsEmpty());
  EXPECT_EQ(clock.sleeps, 3);
  EXPECT_EQ(read, good);
}

TEST_F(PageCheckTest, WhatStaysTornIsDamaged) {
  std::string torn = sample_page(0) + sample_page(1) + sample_page(2);
  torn[kSamplePage + 5000] ^= 1;
  look_at(torn);
  EXPECT_THAT(damaged(), ElementsAre(1U));
  EXPECT_EQ(read, torn) << "the backup holds what the file does";
}

TEST_F(PageCheckTest, APageInTheWrongPlaceIsDamaged) {
  look_at(sample_page(0) + sample_page(2) + sample_page(1));
  EXPECT_THAT(damaged(), ElementsAre(1U, 2U));
}

TEST_F(PageCheckTest, AnUnusedPageWithSomethingInItIsDamaged) {
  std::string page(kSamplePage, '\0');
  page.back() = 'x';
  look_at(page);
  EXPECT_THAT(damaged(), ElementsAre(0U));
}

TEST_F(PageCheckTest, LessThanAPageIsNotLookedAt) {
  look_at("x");
  look_at(sample_page(0) + "the server is about to write the rest");
  look_at("");
  EXPECT_THAT(check.damaged(), IsEmpty());
}

TEST_F(PageCheckTest, LaterSegmentsGoOnCounting) {
  const std::uint32_t first = 2 * PageLayout{}.pages_in_segment;
  look_at(sample_page(first) + sample_page(first + 1), 2);
  EXPECT_THAT(check.damaged(), IsEmpty());
  look_at(sample_page(0), 2);
  EXPECT_THAT(damaged(), ElementsAre(0U));
}

TEST_F(PageCheckTest, OtherSizesOfPagesAndSegments) {
  PageCheck large({.page_size = 32768, .pages_in_segment = 4}, clock);
  std::string text = sample_page(4, 32768) + sample_page(5, 32768);
  write_sample(path, text);
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  large.look(fd.get(), path, 1, 0, std::as_writable_bytes(std::span(text)));
  EXPECT_THAT(large.damaged(), IsEmpty());
}

TEST_F(PageCheckTest, APageThatIsCutOffMeanwhileIsZero) {
  std::string torn = sample_page(0) + sample_page(1);
  torn[kSamplePage + 100] ^= 1;
  clock.while_asleep = [&](int) { std::filesystem::resize_file(path, kSamplePage); };
  look_at(torn);
  EXPECT_THAT(check.damaged(), IsEmpty());
  EXPECT_EQ(read, sample_page(0) + std::string(kSamplePage, '\0'));
}

TEST_F(PageCheckTest, AfterManyFindsThereIsLittleDoubt) {
  std::string bad = sample_page(0);
  bad[100] ^= 1;
  for (int i = 0; i < 100; ++i) look_at(bad);
  EXPECT_LT(clock.sleeps, 20 * 10 + 80 * 3);
  EXPECT_EQ(check.damaged().front().pages, 100U);
  EXPECT_EQ(damaged().size(), 5U);
}

TEST_F(PageCheckTest, AStopEndsTheWaiting) {
  std::stop_source stop;
  PageCheck stopped({}, clock, stop.get_token());
  std::string bad = sample_page(0);
  bad[100] ^= 1;
  write_sample(path, bad);
  stop.request_stop();
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  failure(ErrorKind::kCancelled,
          [&] { stopped.look(fd.get(), path, 0, 0, std::as_writable_bytes(std::span(bad))); });
}

TEST_F(PageCheckTest, TheFailureNamesFilesAndBlocks) {
  ScriptedSession session(150000);
  session.answers["data_checksums"] = {{"on"}};
  require_sound_pages(check, session);
  look_at(sample_page(0) + sample_page(9) + sample_page(9));
  const std::string text = failure(ErrorKind::kCorrupt, [&] { require_sound_pages(check, session); });
  EXPECT_THAT(text, HasSubstr(path.native() + " (blocks 1, 2)"));
}

TEST_F(PageCheckTest, ChecksumsThatWereSwitchedOffMeanwhileProveNothing) {
  ScriptedSession session(190000);
  session.answers["data_checksums"] = {{"off"}};
  look_at(sample_page(7));
  EXPECT_NO_THROW(require_sound_pages(check, session));
}

TEST(PageLayout, IsTheServers) {
  ServerFacts facts;
  EXPECT_FALSE(page_layout(facts));
  for (const char* state : {"off", "inprogress-on", "inprogress-off"}) {
    facts.settings["data_checksums"] = state;
    EXPECT_FALSE(page_layout(facts)) << state;
  }
  facts.settings["data_checksums"] = "on";
  EXPECT_EQ(page_layout(facts)->page_size, 8192U);
  facts.settings["block_size"] = "16384";
  facts.settings["segment_size"] = "65536";
  EXPECT_EQ(page_layout(facts)->page_size, 16384U);
  EXPECT_EQ(page_layout(facts)->pages_in_segment, 65536U);
}

}  // namespace
}  // namespace barman::engine
