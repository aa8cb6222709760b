#include "pgformat/incremental.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/error.h"

namespace barman::pgformat {
namespace {

std::string little(std::uint32_t number) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift & 0xFF);
  return text;
}

std::string block(char letter) { return std::string(kBlockSize, letter); }

// An incremental file with blocks of one letter each.
std::string increment(std::uint32_t truncation, const std::vector<std::pair<std::uint32_t, char>>& blocks) {
  std::string text =
      little(kIncrementalMagic) + little(static_cast<std::uint32_t>(blocks.size())) + little(truncation);
  for (const auto& [number, letter] : blocks) text += little(number);
  if (!blocks.empty()) text.resize((text.size() + kBlockSize - 1) / kBlockSize * kBlockSize);
  for (const auto& [number, letter] : blocks) text += block(letter);
  return text;
}

std::span<const std::byte> bytes_of_increment(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class SegmentInMemory final : public SegmentFile {
 public:
  explicit SegmentInMemory(std::string start) : text(std::move(start)) {}
  std::uint64_t size() override { return text.size(); }
  void resize(std::uint64_t size) override { text.resize(size); }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    ASSERT_LE(offset + bytes.size(), text.size()) << "the header said how long it gets";
    text.replace(offset, bytes.size(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ++writes;
  }
  std::string text;
  int writes = 0;
};

std::string applied(std::string start, std::string_view increment, std::size_t piece = 1'000'000) {
  SegmentInMemory segment(std::move(start));
  IncrementalApplier applier(segment);
  IncrementalReader reader(applier);
  while (!increment.empty()) {
    reader.write(bytes_of_increment(increment.substr(0, piece)));
    increment.remove_prefix(std::min(piece, increment.size()));
  }
  reader.finish();
  return segment.text;
}

// Each block's letter; '0' for zeros, '?' for a mixture.
std::string letters(std::string_view segment) {
  std::string result;
  for (std::size_t at = 0; at < segment.size(); at += kBlockSize) {
    const std::string_view one = segment.substr(at, kBlockSize);
    const bool uniform =
        one.size() == kBlockSize && std::ranges::all_of(one, [&](char c) { return c == one[0]; });
    result += !uniform ? '?' : one[0] == '\0' ? '0' : one[0];
  }
  return result;
}

std::string segment_of(std::string_view blocks) {
  std::string text;
  for (const char letter : blocks) text += block(letter);
  return text;
}

TEST(IncrementalName, IsThatOfTheSegmentAfterAPrefix) {
  EXPECT_EQ(name_without_increment("base/5/INCREMENTAL.1259"), "base/5/1259");
  EXPECT_EQ(name_without_increment("pg_tblspc/7/PG_17_202406281/5/INCREMENTAL.9.1"),
            "pg_tblspc/7/PG_17_202406281/5/9.1");
  EXPECT_EQ(name_without_increment("global/INCREMENTAL.x"), "global/x");
  for (const char* other : {"base/5/1259", "base/5/INCREMENTAL.", "base/INCREMENTAL.5/1259", "INCREMENTAL.x",
                            "pg_xact/INCREMENTAL.1", ""}) {
    EXPECT_FALSE(name_without_increment(other)) << other;
  }
}

TEST(IncrementalApplier, ReplacesTheBlocksThatChanged) {
  EXPECT_EQ(letters(applied(segment_of("abcde"), increment(5, {{1, 'B'}, {3, 'D'}}))), "aBcDe");
}

TEST(IncrementalApplier, LeavesASegmentWithoutChangesAsItIs) {
  EXPECT_EQ(letters(applied(segment_of("abc"), increment(3, {}))), "abc");
}

TEST(IncrementalApplier, CutsOffWhatTheRelationLost) {
  EXPECT_EQ(letters(applied(segment_of("abcde"), increment(2, {{0, 'A'}}))), "Ab");
  EXPECT_EQ(letters(applied(segment_of("abcde"), increment(0, {}))), "");
}

TEST(IncrementalApplier, DoesNotBringBackWhatWasCutOffBeforeTheRelationGrewAgain) {
  EXPECT_EQ(letters(applied(segment_of("abcde"), increment(2, {{4, 'E'}}))), "ab00E");
}

TEST(IncrementalApplier, FillsWithZerosWhatNobodyWrote) {
  EXPECT_EQ(letters(applied(segment_of("ab"), increment(5, {{3, 'D'}}))), "ab0D0");
  EXPECT_EQ(letters(applied(segment_of("ab"), increment(2, {{4, 'E'}}))), "ab00E");
}

TEST(IncrementalApplier, DropsAnUnfinishedBlockAtTheEndOfTheEarlierSegment) {
  EXPECT_EQ(letters(applied(segment_of("ab") + "torn", increment(3, {}))), "ab0");
}

TEST(IncrementalApplier, TakesBlocksInAnyOrder) {
  EXPECT_EQ(letters(applied(segment_of("abc"), increment(3, {{2, 'C'}, {0, 'A'}}))), "AbC");
}

TEST(IncrementalApplier, TakesALengthThatNoSegmentHasForAFullOne) {
  // Older minor versions write this for a relation of several segments that was cut within a later one.
  IncrementalHeader header{.truncation_blocks = kBlocksOfSegment + 5, .blocks = {}};
  EXPECT_EQ(header.result_size(), kBlocksOfSegment * kBlockSize);
}

TEST(IncrementalReader, PassesNeighbouringBlocksOnTogether) {
  SegmentInMemory segment(segment_of("abcdef"));
  IncrementalApplier applier(segment);
  IncrementalReader reader(applier);
  const std::string text = increment(6, {{1, 'B'}, {2, 'C'}, {3, 'D'}, {5, 'F'}});
  reader.write(bytes_of_increment(text));
  reader.finish();
  EXPECT_EQ(letters(segment.text), "aBCDeF");
  EXPECT_EQ(segment.writes, 2);
}

TEST(IncrementalReader, TakesPiecesOfAnySize) {
  const std::string text = increment(5, {{1, 'B'}, {2, 'C'}, {4, 'E'}});
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{13}, std::size_t{8191},
                                  std::size_t{8193}, std::size_t{20000}}) {
    EXPECT_EQ(letters(applied(segment_of("abcde"), text, piece)), "aBCdE") << piece;
  }
}

TEST(IncrementalReader, NoticesEveryTruncationAndEveryExcess) {
  for (const std::string& text : {increment(5, {{1, 'B'}, {2, 'C'}}), increment(5, {})}) {
    for (std::size_t size = 0; size < text.size();
         size += size < 100 || size > text.size() - 100 ? 1U : 97U) {
      EXPECT_THROW((void)applied(segment_of("abcde"), text.substr(0, size)), Error) << size;
    }
    EXPECT_NO_THROW((void)applied(segment_of("abcde"), text));
    EXPECT_THROW((void)applied(segment_of("abcde"), text + "x"), Error);
  }
}

// A file whose numbers fill its first block to the last byte has no padding.
TEST(IncrementalReader, KnowsWhenTheHeaderNeedsNoPadding) {
  std::vector<std::pair<std::uint32_t, char>> blocks;
  for (std::uint32_t i = 0; i < kBlockSize / 4 - 3; ++i) blocks.emplace_back(i, 'x');
  const std::string text = increment(0, blocks);
  ASSERT_EQ(text.size(), kBlockSize + blocks.size() * kBlockSize);
  EXPECT_EQ(letters(applied("", text)), std::string(blocks.size(), 'x'));
}

TEST(IncrementalReader, RefusesNumbersThatNoSegmentHas) {
  const std::string magic = little(kIncrementalMagic);
  for (const std::string& text :
       {little(0xD3AE1F0E) + little(0) + little(0), magic + little(kBlocksOfSegment + 1) + little(0),
        magic + little(0xFFFFFFFF) + little(0), magic + little(1) + little(0) + little(kBlocksOfSegment),
        std::string(12, '\0'), std::string("garbage that is long enough")}) {
    EXPECT_THROW((void)applied("", text), Error);
  }
}

// The model: a map from a block's number to its letter.
TEST(IncrementalApplier, DoesWhatASimpleModelDoes) {
  std::mt19937 random(17);
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  for (int round = 0; round < 40; ++round) {
    std::string model(below(12), 'a');
    std::string segment = segment_of(model);
    for (int member = 0; member < 4; ++member) {
      const std::uint32_t truncation = below(14);
      std::map<std::uint32_t, char> changes;
      for (std::uint32_t i = below(5); i > 0; --i) changes[below(16)] = static_cast<char>('b' + below(25));
      model.resize(std::min<std::size_t>(model.size(), truncation));
      model.resize(truncation, '0');
      for (const auto& [number, letter] : changes) {
        if (number >= model.size()) model.resize(number + 1, '0');
        model[number] = letter;
      }
      const std::string text = increment(truncation, {changes.begin(), changes.end()});
      segment = applied(segment, text, 1 + below(30000));
      ASSERT_EQ(letters(segment), model);
    }
  }
}

}  // namespace
}  // namespace barman::pgformat
