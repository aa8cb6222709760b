#include "engine/receive/segment_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "engine/receive/streaming_folder.h"
#include "engine/recorded_events.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr pgformat::SegmentSize kSegmentSize = 1024 * 1024;
constexpr pgformat::Lsn kThree{3 * kSegmentSize};
const std::string kName3 = "000000010000000000000003";
const std::string kName4 = "000000010000000000000004";

class SegmentWriting : public ::testing::Test {
 protected:
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.home.streaming)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  std::string content(const std::string& name) { return ScratchHome::read(scratch.home.streaming / name); }

  ScratchHome scratch;
  RecordedEvents events;
};

TEST_F(SegmentWriting, ASegmentThatArrivesIsPartialAndHasItsWholeLength) {
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  EXPECT_FALSE(writer.received());
  writer.write(kThree, stream::bytes_of("abc"));
  writer.write({kThree.value + 3}, stream::bytes_of("def"));
  EXPECT_TRUE(writer.received());
  EXPECT_EQ(writer.flush(), pgformat::Lsn{kThree.value + 6});
  EXPECT_THAT(files(), ElementsAre(kName3 + ".partial"));
  EXPECT_EQ(content(kName3 + ".partial"), "abcdef" + std::string(kSegmentSize - 6, '\0'));
}

TEST_F(SegmentWriting, ACompleteSegmentGetsItsNameAndTheNextFileIsThereAtOnce) {
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  writer.write(kThree, stream::bytes_of(std::string(kSegmentSize, 'x')));
  EXPECT_THAT(files(), ElementsAre(kName3, kName4 + ".partial"));
  EXPECT_EQ(content(kName3), std::string(kSegmentSize, 'x'));
  EXPECT_THAT(events.infos, ElementsAre("main: finished segment " + kName3));
}

TEST_F(SegmentWriting, OneWriteMayCrossSegments) {
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  writer.write(kThree,
               stream::bytes_of(std::string(kSegmentSize, 'x') + std::string(kSegmentSize, 'y') + "z"));
  EXPECT_THAT(files(), ElementsAre(kName3, kName4, "000000010000000000000005.partial"));
  EXPECT_EQ(content(kName4), std::string(kSegmentSize, 'y'));
  EXPECT_EQ(writer.flush(), pgformat::Lsn{5 * kSegmentSize + 1});
}

TEST_F(SegmentWriting, WhatAnEarlierReceiverStoredIsNeverCutOff) {
  ScratchHome::write(scratch.home.streaming / (kName3 + ".partial"), "abcdefghi");
  {
    SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
    writer.write(kThree, stream::bytes_of("abc"));
  }
  EXPECT_EQ(content(kName3 + ".partial"), "abcdefghi" + std::string(kSegmentSize - 9, '\0'));
}

TEST_F(SegmentWriting, ATimelineThatEndsInsideASegmentLeavesItPartial) {
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  writer.write(kThree, stream::bytes_of("abc"));
  writer.timeline_ended(1, {kThree.value + 3}, 2);
  writer.history(2, "00000002.history", "1\t0/300003\tpromoted\n");
  writer.write(kThree, stream::bytes_of("abcdef"));
  EXPECT_THAT(files(),
              ElementsAre(kName3 + ".partial", "00000002.history", "000000020000000000000003.partial"));
  EXPECT_EQ(content("00000002.history"), "1\t0/300003\tpromoted\n");
}

TEST_F(SegmentWriting, ATimelineThatEndsWithASegmentLeavesNoEmptyPartial) {
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  writer.write(kThree, stream::bytes_of(std::string(kSegmentSize, 'x')));
  writer.timeline_ended(1, {4 * kSegmentSize}, 2);
  EXPECT_THAT(files(), ElementsAre(kName3));
}

TEST_F(SegmentWriting, AnArchivedHistoryIsNotStoredAgain) {
  ScratchHome::write(scratch.home.wals / "00000002.history", "1\t0/300003\tpromoted\n");
  SegmentWriter writer(scratch.home, kSegmentSize, 2, events);
  writer.history(2, "00000002.history", "1\t0/300003\tpromoted\n");
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(SegmentWriting, AFolderThatIsGoneIsAnErrorThatNamesTheFile) {
  std::filesystem::remove_all(scratch.home.streaming);
  SegmentWriter writer(scratch.home, kSegmentSize, 1, events);
  try {
    writer.write(kThree, stream::bytes_of("abc"));
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kFailed);
    EXPECT_NE(std::string(e.what()).find(kName3 + ".partial"), std::string::npos);
  }
}

TEST_F(SegmentWriting, TheFolderIsReadBackAsWhatItHolds) {
  ScratchHome::write(scratch.home.streaming / kName3, std::string(kSegmentSize, 'x'));
  ScratchHome::write(scratch.home.streaming / kName4, "short");
  ScratchHome::write(scratch.home.streaming / (kName4 + ".partial"), "");
  ScratchHome::write(scratch.home.streaming / "00000002.history", "");
  ScratchHome::write(scratch.home.streaming / "README", "");
  EXPECT_THAT(received_segments(scratch.home, kSegmentSize, events),
              ElementsAre(ReceivedSegment{*pgformat::parse_segment(kName3), true},
                          ReceivedSegment{*pgformat::parse_segment(kName4), false}));
  ASSERT_EQ(events.warnings.size(), 1U);
  EXPECT_NE(events.warnings[0].find(kName4 + " has 5 bytes"), std::string::npos);
}

TEST_F(SegmentWriting, TheNewestSegmentOfTheArchiveIsFoundPastLabelsAndHistories) {
  EXPECT_EQ(newest_archived(scratch.home), std::nullopt);
  const auto archive = [&](const std::string& name) {
    ScratchHome::write(scratch.home.wals / name.substr(0, 16) / name, "x");
  };
  archive(kName3);
  archive(kName4);
  archive(kName4 + ".00000028.backup");
  archive("000000020000000000000001.partial");
  ScratchHome::write(scratch.home.wals / "00000002.history", "");
  EXPECT_EQ(newest_archived(scratch.home), pgformat::parse_segment(kName4));
  std::filesystem::remove_all(scratch.home.wals);
  EXPECT_EQ(newest_archived(scratch.home), std::nullopt);
}

}  // namespace
}  // namespace barman::engine
