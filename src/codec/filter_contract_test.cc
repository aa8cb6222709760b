// What every codec keeps to, in both directions.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "codec/codec.h"
#include "stream/chain.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

struct Codec {
  const char* name;
  std::function<std::unique_ptr<stream::Filter>()> compress;
  std::function<std::unique_ptr<stream::Filter>()> decompress;
  // Without a mark at its end, so that what has only lost whole blocks is not told from what never had them.
  bool has_end = true;
};

Codec at_level(const char* name, Compression kind, int level) {
  return {name, [kind, level] { return compressor(kind, level); }, [kind] { return decompressor(kind); },
          kind != Compression::kSnappy};
}

void PrintTo(const Codec& codec, std::ostream* out) { *out << codec.name; }

// Steps through `input` with at most this many bytes offered and this much room at a time.
std::string run(stream::Filter& filter, std::string_view input, std::size_t offered, std::size_t room) {
  std::string output;
  std::vector<std::byte> buffer(room);
  const auto take = [&](const stream::Filter::Step& step) {
    output += stream::text_of(stream::Bytes(buffer).first(step.produced));
  };
  while (!input.empty()) {
    const auto part = input.substr(0, offered);
    const auto step = filter.step(stream::bytes_of(part), buffer, stream::Filter::Input::kMore);
    EXPECT_TRUE(step.consumed != 0 || step.produced != 0) << "stuck";
    if (step.consumed == 0 && step.produced == 0) return output;
    take(step);
    input.remove_prefix(step.consumed);
  }
  while (true) {
    const auto step = filter.step({}, buffer, stream::Filter::Input::kLast);
    take(step);
    if (step.done) return output;
    EXPECT_NE(step.produced, 0U) << "stuck at the end";
    if (step.produced == 0) return output;
  }
}

std::string run(const std::function<std::unique_ptr<stream::Filter>()>& make, std::string_view input) {
  return run(*make(), input, 1 << 20, 1 << 16);
}

// Neither all alike nor all different.
std::string some_text(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += "row " + std::to_string(state >> 20U) + "\n";
  }
  text.resize(size);
  return text;
}

class FilterContract : public testing::TestWithParam<Codec> {
 protected:
  void expect_corrupt(std::string_view stored, const std::string& what) const {
    try {
      run(GetParam().decompress, stored);
      ADD_FAILURE() << what << ": accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kCorrupt) << what;
    }
  }
};

TEST_P(FilterContract, ReturnsWhatWasPutIn) {
  for (const std::size_t size : {0U, 1U, 100U, 70000U, 1000000U}) {
    const std::string text = some_text(size);
    EXPECT_EQ(run(GetParam().decompress, run(GetParam().compress, text)), text) << size << " bytes";
  }
}

TEST_P(FilterContract, OneByteAtATimeIsTheSame) {
  const std::string text = some_text(3000);
  const std::string stored = run(GetParam().compress, text);
  EXPECT_EQ(run(*GetParam().compress(), text, 1, 1), stored);
  EXPECT_EQ(run(*GetParam().decompress(), stored, 1, 1), text);
}

TEST_P(FilterContract, WorksAsAStageOfAChain) {
  const std::string text = some_text(400000);
  std::string out;
  auto path = stream::chain(stream::through(GetParam().compress), stream::through(GetParam().decompress),
                            std::make_unique<stream::AppendTo>(out));
  stream::MemorySource source(text, 777);
  stream::pump(source, *path);
  path->finish();
  EXPECT_EQ(out, text);
}

TEST_P(FilterContract, EmptyInputIsNotOfTheFormat) { expect_corrupt("", "nothing"); }

TEST_P(FilterContract, TruncationAtEveryLengthIsNoticed) {
  const std::string stored = run(GetParam().compress, some_text(500));
  constexpr std::size_t kSnappyIdentifier = 10;
  for (std::size_t size = 0; size < stored.size(); ++size) {
    if (!GetParam().has_end && size == kSnappyIdentifier) continue;
    expect_corrupt(std::string_view(stored).substr(0, size), std::to_string(size) + " bytes");
  }
}

TEST_P(FilterContract, GarbageIsNoticed) {
  expect_corrupt("this is not what it was said to be", "text");
  expect_corrupt(std::string(5000, '\0'), "zeroes");
  const std::string stored = run(GetParam().compress, some_text(500));
  expect_corrupt(stored + "and more", "garbage behind");
}

TEST_P(FilterContract, AFlippedByteIsNoticedUnlessTheDataIsTheSame) {
  const std::string text = some_text(500);
  const std::string stored = run(GetParam().compress, text);
  int noticed = 0;
  for (std::size_t at = 10; at < stored.size(); ++at) {  // before that, gzip has a time and the like
    std::string damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      EXPECT_EQ(run(GetParam().decompress, damaged), text) << "byte " << at;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kCorrupt) << "byte " << at;
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 100);
}

TEST_P(FilterContract, MembersInARowAreOneText) {
  const std::string stored =
      run(GetParam().compress, "one,") + run(GetParam().compress, "") + run(GetParam().compress, "two");
  EXPECT_EQ(run(GetParam().decompress, stored), "one,two");
  EXPECT_EQ(run(*GetParam().decompress(), stored, 1, 1), "one,two");
  expect_corrupt(std::string_view(stored).substr(0, stored.size() - 1), "second member cut");
}

TEST_P(FilterContract, ACompressorThatIsDoneMakesTheNextFrame) {
  const auto filter = GetParam().compress();
  const std::string stored = run(*filter, "one,", 100, 100) + run(*filter, "two", 1, 1);
  EXPECT_EQ(run(GetParam().decompress, stored), "one,two");
}

TEST_P(FilterContract, WhatIsSaidToBeTheLastAtOnceIsAFrame) {
  const auto filter = GetParam().compress();
  std::string stored;
  std::vector<std::byte> room(200000);
  for (const std::string& text : {some_text(100000), some_text(5)}) {
    auto rest = stream::bytes_of(text);
    for (bool done = false; !done;) {
      const auto step = filter->step(rest, room, stream::Filter::Input::kLast);
      stored += stream::text_of(stream::Bytes(room).first(step.produced));
      rest = rest.subspan(step.consumed);
      done = step.done;
    }
    EXPECT_TRUE(rest.empty());
  }
  EXPECT_EQ(run(GetParam().decompress, stored), some_text(100000) + some_text(5));
}

TEST_P(FilterContract, LongRunsOfZeroesPass) {
  const std::string zeroes(std::size_t{16} * 1024 * 1024, '\0');
  stream::Measurement plain;
  stream::Measurement stored;
  std::string first;
  class Discard final : public stream::Sink {
   public:
    void write(stream::Bytes) override {}
    void finish() override {}
  };
  auto path = stream::chain(stream::through(GetParam().compress), stream::measure(stored),
                            stream::through(GetParam().decompress), stream::measure(plain),
                            std::make_unique<Discard>());
  path->write(stream::bytes_of(zeroes));
  path->finish();
  EXPECT_EQ(plain.bytes, zeroes.size());
  EXPECT_LT(stored.bytes, zeroes.size() / 20);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, FilterContract,
    testing::Values(at_level("gzip", Compression::kGzip, 6), at_level("gzip_fast", Compression::kGzip, 1),
                    at_level("bzip2", Compression::kBzip2, 9),
                    at_level("bzip2_small", Compression::kBzip2, 1), at_level("zstd", Compression::kZstd, 4),
                    at_level("zstd_negative", Compression::kZstd, -22),
                    at_level("zstd_small", Compression::kZstd, 19), at_level("lz4", Compression::kLz4, 0),
                    at_level("lz4_small", Compression::kLz4, 16), at_level("xz", Compression::kXz, 3),
                    at_level("xz_fast", Compression::kXz, 1), at_level("snappy", Compression::kSnappy, 0)),
    [](const auto& test) { return std::string(test.param.name); });

TEST(GzipDecompressor, IgnoresZeroPaddingAsGzipDoes) {
  const std::string stored =
      run([] { return compressor(Compression::kGzip, 6); }, "text") + std::string(512, '\0');
  EXPECT_EQ(run([] { return decompressor(Compression::kGzip); }, stored), "text");
}

TEST(SnappyDecompressor, SkipsChunksThatItNeedNotKnow) {
  const std::string padding("\xfe\x03\x00\x00...", 7);
  const std::string stored = run([] { return compressor(Compression::kSnappy, 0); }, "text");
  EXPECT_EQ(run([] { return decompressor(Compression::kSnappy); }, stored + padding + padding), "text");
}

constexpr Compression kEveryKind[] = {Compression::kBzip2,  Compression::kGzip, Compression::kLz4,
                                      Compression::kSnappy, Compression::kXz,   Compression::kZstd};

TEST(Codec, EveryKindIsDetectedByItsFront) {
  for (const auto kind : kEveryKind) {
    const std::string stored = run([kind] { return compressor(kind, medium_level(kind)); }, "x");
    EXPECT_EQ(detect_compression(stream::bytes_of(stored)), kind);
  }
}

TEST(Codec, EveryLevelThatMayBeConfiguredWorks) {
  const std::string text = some_text(3000);
  for (const auto kind : kEveryKind) {
    for (int level = levels_of(kind).lowest; level <= levels_of(kind).highest; ++level) {
      const std::string stored = run([&] { return compressor(kind, level, text.size()); }, text);
      EXPECT_EQ(run([kind] { return decompressor(kind); }, stored), text) << name_of(kind) << " " << level;
    }
  }
}

TEST(Codec, AFrameThatWasPromisedAnotherSizeFails) {
  try {
    run([] { return compressor(Compression::kZstd, 1, 10); }, "eleven bytes");
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kFailed);
  }
}

TEST(Codec, KnowsTheNamesOfTheConfiguration) {
  EXPECT_EQ(compression_named("gzip"), Compression::kGzip);
  EXPECT_EQ(compression_named("pigz"), Compression::kGzip);
  EXPECT_EQ(compression_named("pygzip"), Compression::kGzip);
  EXPECT_EQ(compression_named("pybzip2"), Compression::kBzip2);
  EXPECT_EQ(compression_named("zstd"), Compression::kZstd);
  EXPECT_EQ(compression_named("custom"), std::nullopt);
  EXPECT_EQ(compression_named(""), std::nullopt);
}

TEST(Codec, LevelsAreWordsOrNumbersMovedIntoTheRange) {
  EXPECT_EQ(level_of(Compression::kZstd, ""), 4);
  EXPECT_EQ(level_of(Compression::kZstd, "Low"), 1);
  EXPECT_EQ(level_of(Compression::kXz, "high"), 5);
  EXPECT_EQ(level_of(Compression::kLz4, "medium"), 6);
  EXPECT_EQ(level_of(Compression::kZstd, "-7"), -7);
  EXPECT_EQ(level_of(Compression::kZstd, "-99999999999999999999"), -22);
  EXPECT_EQ(level_of(Compression::kGzip, "0"), 1);
  EXPECT_EQ(level_of(Compression::kGzip, "99"), 9);
  EXPECT_EQ(level_of(Compression::kSnappy, "5"), 0);
  EXPECT_THROW((void)level_of(Compression::kGzip, "fast"), Error);
  EXPECT_THROW((void)level_of(Compression::kGzip, "5x"), Error);
}

}  // namespace
}  // namespace barman::codec
