#include "engine/get_wal/get_wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/recorded_events.h"
#include "engine/wal/fake_gpg.h"
#include "engine/wal/sample_segment.h"
#include "engine/wal/scratch_home.h"

namespace barman::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOne = "000000010000000000000001";
const std::string kTwo = "000000010000000000000002";

class GetWalTest : public testing::Test {
 protected:
  void archive(const std::string& name, std::string_view content) {
    ScratchHome::write(scratch_.home.archived(*pgformat::parse_wal_name(name), name), content);
  }
  void arrive(const std::string& name, std::string_view content) {
    ScratchHome::write(scratch_.home.incoming / name, content);
  }
  void stream_in(const std::string& name, std::string_view content) {
    ScratchHome::write(scratch_.home.streaming / name, content);
  }

  std::optional<FoundWal> find(const std::string& name, bool partial = false) {
    return find_wal(scratch_.home, name, partial, {}, events_);
  }
  // Empty if there is none.
  std::string get(const std::string& name, const WalForm& form = {}, bool partial = false) {
    const auto found = find(name, partial);
    std::string content;
    if (found) deliver_wal(scratch_.home, *found, form, {}, std::make_unique<stream::AppendTo>(content), {});
    return content;
  }

  ScratchHome scratch_;
  RecordedEvents events_;
};

TEST_F(GetWalTest, FindsItWhereverItHasGotTo) {
  EXPECT_EQ(get(kOne), "");
  stream_in(kOne, sample_segment(kOne, kSampleSystem, 's'));
  EXPECT_EQ(get(kOne), sample_segment(kOne, kSampleSystem, 's'));
  arrive(kOne, sample_segment(kOne, kSampleSystem, 'i'));
  EXPECT_EQ(get(kOne), sample_segment(kOne, kSampleSystem, 'i'));
  archive(kOne, "archived");
  EXPECT_EQ(get(kOne), "archived");
}

TEST_F(GetWalTest, OnlyTheExactNameIsMeant) {
  archive(kOne + ".00000028.backup", "label");
  archive(kOne + ".partial", "partial");
  EXPECT_EQ(get(kOne), "");
  EXPECT_EQ(get(kOne + ".00000028.backup"), "label");
  EXPECT_EQ(get(kOne + ".partial"), "partial");
  archive(kOne, "segment");
  EXPECT_EQ(get(kOne), "segment");
  EXPECT_EQ(get(kOne, {}, true), "segment");
}

TEST_F(GetWalTest, APartialIsTheLastResortAndNeverTransformed) {
  archive(kOne + ".partial", "archived");
  EXPECT_EQ(get(kOne), "") << "only when asked for";
  EXPECT_EQ(get(kOne, {}, true), "archived");
  stream_in(kOne + ".partial", gzipped("streamed"));
  EXPECT_EQ(get(kOne, {.compression = codec::Compression::kBzip2}, true), gzipped("streamed"));
  EXPECT_EQ(find(kOne, true)->name(), kOne + ".partial");
  stream_in(kOne, sample_segment(kOne));
  EXPECT_EQ(get(kOne, {}, true), sample_segment(kOne));
}

TEST_F(GetWalTest, HistoryFilesAreAtTheTop) {
  archive("00000002.history", "1\t0/300000\tno\n");
  EXPECT_EQ(get("00000002.history"), "1\t0/300000\tno\n");
}

TEST_F(GetWalTest, NamesThatAreNoneAreRefused) {
  for (const char* name :
       {"", "x", "../main-xlog.db", "000000010000000000000001x", "000000010000000000000001.backup"}) {
    EXPECT_THROW((void)find(name), Error) << name;
  }
}

TEST_F(GetWalTest, AFolderOfThatNameIsNotTheFile) {
  std::filesystem::create_directories(scratch_.home.incoming / kOne);
  EXPECT_FALSE(find(kOne).has_value());
}

TEST_F(GetWalTest, WhatIsStillArrivingIsNotHandedOut) {
  arrive(kOne, sample_segment(kOne).substr(0, 1000));
  stream_in(kOne, sample_segment(kOne));
  EXPECT_EQ(get(kOne), sample_segment(kOne));
  EXPECT_THAT(events_.logged, ElementsAre(HasSubstr("passed over")));
}

TEST_F(GetWalTest, WalOfAnotherClusterThatHasJustArrivedIsNotHandedOut) {
  ScratchHome::write(scratch_.home.identity, R"({"systemid": "7123456789012345678", "version": "15"})");
  arrive(kOne, sample_segment(kOne, 42));
  EXPECT_FALSE(find(kOne).has_value());
}

TEST_F(GetWalTest, WhatWasFoundStaysReadableWhenTheArchiverTakesItAway) {
  arrive(kOne, sample_segment(kOne));
  const auto found = find(kOne);
  std::filesystem::remove(scratch_.home.incoming / kOne);
  std::string content;
  deliver_wal(scratch_.home, *found, {}, {}, std::make_unique<stream::AppendTo>(content), {});
  EXPECT_EQ(content, sample_segment(kOne));
}

TEST_F(GetWalTest, CompressedFilesComeOutAsTheyAreWanted) {
  archive(kOne, gzipped("the data"));
  EXPECT_EQ(get(kOne), "the data");
  EXPECT_EQ(get(kOne, {.as_stored = true}), gzipped("the data"));
  EXPECT_EQ(get(kOne, {.compression = codec::Compression::kGzip}), gzipped("the data"));
  const std::string as_bzip2 = get(kOne, {.compression = codec::Compression::kBzip2});
  EXPECT_EQ(codec::detect_compression(stream::bytes_of(as_bzip2)), codec::Compression::kBzip2);
  archive(kTwo, as_bzip2);
  EXPECT_EQ(get(kTwo), "the data");
  archive(kTwo, "plain");
  EXPECT_EQ(get(kTwo, {.compression = codec::Compression::kGzip}), gzipped("plain"));
}

TEST_F(GetWalTest, WhatCannotBeReadIsSaidBeforeAByteIsSent) {
  archive(kOne, "\x28\xb5\x2f\xfd not really zstd");
  archive(kTwo, "\x84\x5e\x03secret");
  EXPECT_THROW(get(kOne), Error);
  EXPECT_EQ(get(kOne, {.as_stored = true}), "\x28\xb5\x2f\xfd not really zstd");
  EXPECT_THROW(get(kTwo), Error);
  EXPECT_THROW(get(kTwo, {.as_stored = true}), Error) << "it would have to be decrypted";
}

TEST_F(GetWalTest, AnArchivedPartialFileIsUnpackedAPlainOneNeverPacked) {
  archive(kOne + ".partial", gzipped("the data"));
  const auto partial = [this](const WalForm& wanted) {
    std::string content;
    deliver_wal(scratch_.home, *find_wal(scratch_.home, kOne, true, {}, events_), wanted, {},
                std::make_unique<stream::AppendTo>(content), {});
    return content;
  };
  EXPECT_EQ(partial({}), "the data");
  archive(kOne + ".partial", "the data");
  EXPECT_EQ(partial({.compression = codec::Compression::kGzip}), "the data");
}

TEST_F(GetWalTest, EncryptedFilesAreDecryptedAlsoWhereCompressionIsKept) {
  FakeGpg gpg;
  const WalFormat format = gpg.format({.key_id = "key"}, "echo sesame");
  const std::string stored = gzipped("the data");
  std::string encrypted;
  const auto path = stream::chain(format.storing({}, stored.size(), 1).stages,
                                  std::make_unique<stream::AppendTo>(encrypted));
  path->write(stream::bytes_of(stored));
  path->finish();
  archive(kOne, encrypted);
  const auto get_with = [&](const WalForm& wanted) {
    std::string content;
    deliver_wal(scratch_.home, *find_wal(scratch_.home, kOne, false, format, events_), wanted, format,
                std::make_unique<stream::AppendTo>(content), {});
    return content;
  };
  EXPECT_EQ(get_with({}), "the data");
  EXPECT_EQ(get_with({.as_stored = true}), stored);
  EXPECT_EQ(get_with({.compression = codec::Compression::kGzip}), stored);
}

TEST_F(GetWalTest, DamagedFilesAreReportedWithTheirPath) {
  archive(kOne, gzipped(sample_segment(kOne)).substr(0, 200));
  try {
    get(kOne);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(e.what(), HasSubstr(scratch_.home.wals.native()));
  }
}

TEST_F(GetWalTest, PeekNamesWhatIsThereUpToTheFirstGap) {
  for (const char* name : {"0000000100000000000000FE", "0000000100000000000000FF", "000000010000000100000000",
                           "000000010000000100000002"}) {
    archive(name, "without a header");
  }
  EXPECT_THAT(
      peek_wal(scratch_.home, "0000000100000000000000FE", 9),
      ElementsAre("0000000100000000000000FE", "0000000100000000000000FF", "000000010000000100000000"));
  EXPECT_THAT(peek_wal(scratch_.home, "0000000100000000000000FE", 2).size(), 2);
  EXPECT_THAT(peek_wal(scratch_.home, "0000000100000000000000FD", 9), IsEmpty());
}

TEST_F(GetWalTest, PeekKnowsWhereALogEndsWhenASegmentTellsItsSize) {
  archive("000000010000000000000003", sample_segment("000000010000000000000003"));
  archive("000000010000000100000000", sample_segment("000000010000000100000000"));
  EXPECT_THAT(peek_wal(scratch_.home, "000000010000000000000003", 9), ElementsAre("000000010000000000000003"))
      << "segment 4 is missing; the log goes on to FFF";
  archive("000000010000000000000FFF", sample_segment("000000010000000000000FFF"));
  EXPECT_THAT(peek_wal(scratch_.home, "000000010000000000000FFF", 9).size(), 2);
}

TEST_F(GetWalTest, PeekOfOtherFilesIsTheFileAlone) {
  archive("00000002.history", "x");
  stream_in(kOne + ".partial", "x");
  EXPECT_THAT(peek_wal(scratch_.home, "00000002.history", 5), ElementsAre("00000002.history"));
  EXPECT_THAT(peek_wal(scratch_.home, "00000003.history", 5), IsEmpty());
  EXPECT_THAT(peek_wal(scratch_.home, kOne, 5), IsEmpty()) << "a partial is not the segment";
}

TEST_F(GetWalTest, PeekDoesNotCallMissingWhatItCannotLookAt) {
  std::filesystem::remove(scratch_.home.incoming);
  std::filesystem::create_symlink(scratch_.home.incoming, scratch_.home.incoming);
  for (const std::string& name : {kOne, std::string("00000002.history")}) {
    EXPECT_THROW((void)peek_wal(scratch_.home, name, 1), Error) << name;
  }
}

TEST_F(GetWalTest, PeekSeesWhatHasOnlyArrived) {
  archive(kOne, sample_segment(kOne));
  arrive(kTwo, sample_segment(kTwo));
  stream_in("000000010000000000000003", "x");
  EXPECT_THAT(peek_wal(scratch_.home, kOne, 9), ElementsAre(kOne, kTwo, "000000010000000000000003"));
}

}  // namespace
}  // namespace barman::engine
