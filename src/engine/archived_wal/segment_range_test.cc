#include "engine/archived_wal/segment_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_failure.h"
#include "engine/server/bucket_home.h"
#include "engine/wal/scratch_home.h"
#include "store/memory_store.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr pgformat::SegmentSize kSize = pgformat::kDefaultSegmentSize;

Stretch range(const std::string& begin, const std::string& end) { return parse_segment_range(begin, end); }

TEST(SegmentRange, BothEndsAreNamesOfSegmentsOfOneTimeline) {
  const auto refusal = [](const std::string& begin, const std::string& end) {
    return failure(ErrorKind::kUsage, [&] { range(begin, end); });
  };
  EXPECT_EQ(range("0000000100000000000000fe", "000000010000000100000001").first,
            (pgformat::Segment{.timeline = 1, .log = 0, .seg = 254}));
  EXPECT_EQ(refusal("foo", "000000010000000100000001"), "Invalid WAL segment name: foo");
  EXPECT_EQ(refusal("000000010000000000000001", "00000002.history"),
            "Invalid WAL segment name: 00000002.history");
  EXPECT_EQ(refusal("000000010000000000000005", "000000020000000000000006"),
            "begin_wal (000000010000000000000005) and end_wal (000000020000000000000006) must be on the same "
            "timeline");
  EXPECT_EQ(
      refusal("00000001000000000000000a", "000000010000000000000005"),
      "begin_wal (00000001000000000000000a) must not be greater than end_wal (000000010000000000000005)");
}

TEST(SegmentRange, TheSizeIsThatOfTheNewestBackupThatTellsIt) {
  catalog::BackupInfo old{.id = {"20261101T000000"}, .xlog_segment_size = 1};
  catalog::BackupInfo known{.id = {"20261102T000000"}, .xlog_segment_size = kSize};
  catalog::BackupInfo begun{.id = {"20261103T000000"}};
  EXPECT_EQ(recorded_segment_size({old, known, begun}), kSize);
  EXPECT_EQ(recorded_segment_size({begun}), std::nullopt);
}

class MissingInArchive : public testing::Test {
 protected:
  void archive(const std::string& name, const std::string& text = "x") {
    ScratchHome::write(scratch.home.wals / name.substr(0, 16) / name, text);
  }
  std::vector<std::string> missing(const std::string& begin, const std::string& end) {
    std::vector<std::string> texts;
    for (const Stretch& gap : missing_in_archive(scratch.home, range(begin, end), kSize))
      texts.push_back(format_stretch(gap, kSize));
    return texts;
  }

  ScratchHome scratch;
};

TEST_F(MissingInArchive, GapsAreNamed) {
  for (const char* name :
       {"0000000100000000000000FE", "000000010000000100000000", "000000010000000100000002"})
    archive(name);
  EXPECT_THAT(missing("0000000100000000000000FE", "0000000100000000000000FE"), IsEmpty());
  EXPECT_THAT(missing("0000000100000000000000FD", "000000010000000100000004"),
              ElementsAre("0000000100000000000000FD", "0000000100000000000000FF", "000000010000000100000001",
                          "000000010000000100000003 to 000000010000000100000004 (2 segments)"));
}

TEST_F(MissingInArchive, PartialEmptyAndForeignFilesAreNoSegments) {
  archive("000000010000000000000001.partial");
  archive("000000010000000000000002", "");
  ScratchHome::write(scratch.home.wals / "0000000200000000" / "000000010000000000000003", "x");
  EXPECT_THAT(missing("000000010000000000000001", "000000010000000000000003"),
              ElementsAre("000000010000000000000001 to 000000010000000000000003 (3 segments)"));
}

TEST_F(MissingInArchive, ABucketIsLookedAtWhateverItsObjectsAreCompressedWith) {
  const auto bucket = std::make_shared<store::MemoryStore>();
  scratch.home.wal_bucket =
      std::make_shared<BucketHome>("s3://bucket/path", "main", [bucket] { return bucket; });
  store::write_text(*bucket, "wals/0000000100000000/000000010000000000000001.gz", "x");
  store::write_text(*bucket, "wals/0000000100000000/000000010000000000000002", "x");
  store::write_text(*bucket, "wals/0000000100000000/000000010000000000000003.zst", "");
  EXPECT_THAT(missing("000000010000000000000001", "000000010000000000000003"),
              ElementsAre("000000010000000000000003"));
}

TEST_F(MissingInArchive, AHugeRangeTakesNoTime) {
  EXPECT_THAT(missing("000000010000000000000000", "00000001FFFFFFFE000000FF").size(), 1U);
}

TEST_F(MissingInArchive, ANameThatCannotBeOfThatSizeIsRefused) {
  EXPECT_EQ(
      failure(ErrorKind::kUsage, [&] { missing("000000010000000000000001", "0000000100000000000001FE"); }),
      "Invalid WAL segment name: 0000000100000000000001FE");
  EXPECT_EQ(
      failure(ErrorKind::kUsage, [&] { missing("000000010000000000000001", "00000001FFFFFFFF000000FF"); }),
      "Invalid WAL segment name: 00000001FFFFFFFF000000FF");
}

}  // namespace
}  // namespace barman::engine
