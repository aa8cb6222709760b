// What every codec keeps to, in both directions.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "codec/bzip2.h"
#include "codec/codec.h"
#include "codec/gzip.h"
#include "stream/chain.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

struct Codec {
  const char* name;
  std::function<std::unique_ptr<stream::Filter>()> compress;
  std::function<std::unique_ptr<stream::Filter>()> decompress;
};

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
  for (const std::size_t size : {0U, 1U, 100U, 70000U, 1500000U}) {
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
  for (std::size_t size = 0; size < stored.size(); ++size) {
    expect_corrupt(std::string_view(stored).substr(0, size), std::to_string(size) + " bytes");
  }
}

TEST_P(FilterContract, GarbageIsNoticed) {
  expect_corrupt("this is not what it was said to be", "text");
  expect_corrupt(std::string(5000, '\0'), "zeroes");
  const std::string stored = run(GetParam().compress, some_text(500));
  expect_corrupt(stored + "and more", "garbage behind");
}

TEST_P(FilterContract, AnyFlippedByteOfTheDataIsNoticed) {
  const std::string stored = run(GetParam().compress, some_text(500));
  for (std::size_t at = 10; at < stored.size(); ++at) {  // before that, gzip has a time and the like
    std::string damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    expect_corrupt(damaged, "byte " + std::to_string(at));
  }
}

TEST_P(FilterContract, MembersInARowAreOneText) {
  const std::string stored =
      run(GetParam().compress, "one,") + run(GetParam().compress, "") + run(GetParam().compress, "two");
  EXPECT_EQ(run(GetParam().decompress, stored), "one,two");
  EXPECT_EQ(run(*GetParam().decompress(), stored, 1, 1), "one,two");
  expect_corrupt(std::string_view(stored).substr(0, stored.size() - 1), "second member cut");
}

TEST_P(FilterContract, LongRunsOfZeroesPass) {
  const std::string zeroes(std::size_t{64} * 1024 * 1024, '\0');
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
  EXPECT_LT(stored.bytes, zeroes.size() / 100);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, FilterContract,
    testing::Values(Codec{"gzip", [] { return gzip_compressor(6); }, gzip_decompressor},
                    Codec{"gzip_fast", [] { return gzip_compressor(1); }, gzip_decompressor},
                    Codec{"bzip2", [] { return bzip2_compressor(9); }, bzip2_decompressor},
                    Codec{"bzip2_small", [] { return bzip2_compressor(1); }, bzip2_decompressor}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(GzipDecompressor, IgnoresZeroPaddingAsGzipDoes) {
  const std::string stored = run([] { return gzip_compressor(6); }, "text") + std::string(512, '\0');
  EXPECT_EQ(run(gzip_decompressor, stored), "text");
}

TEST(Codec, KindsOfThisBuild) {
  for (const auto kind : {Compression::kGzip, Compression::kBzip2}) {
    EXPECT_EQ(detect_compression(
                  stream::bytes_of(run([kind] { return compressor(kind, medium_level(kind)); }, "x"))),
              kind);
    EXPECT_NE(decompressor(kind), nullptr);
  }
  EXPECT_EQ(compressor(Compression::kZstd, 1), nullptr);
  EXPECT_EQ(decompressor(Compression::kXz), nullptr);
}

}  // namespace
}  // namespace barman::codec
