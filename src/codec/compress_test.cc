#include "codec/compress.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>

#include "base/error.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

std::string numbered_rows(std::size_t size) {
  static const std::string rows = [] {
    std::string some;
    for (std::uint32_t i = 0; i < 5000; ++i) some += std::to_string(i * 7919) + " row\n";
    return some;
  }();
  std::string text;
  text.reserve(size + rows.size());
  while (text.size() < size) text += rows;
  text.resize(size);
  return text;
}

std::string through_stage(const stream::Stage& stage, std::string_view text, std::size_t part = 65536) {
  std::string out;
  const auto path = stream::chain(stage, std::make_unique<stream::AppendTo>(out));
  for (; !text.empty(); text.remove_prefix(std::min(part, text.size()))) {
    path->write(stream::bytes_of(text.substr(0, part)));
  }
  path->finish();
  return out;
}

// How many bytes the first frame takes, as the library of the format has it.
std::size_t first_frame_size(Compression kind, std::string_view stored) {
  std::vector<char> out(1 << 16);
  if (kind == Compression::kZstd) return ZSTD_findFrameCompressedSize(stored.data(), stored.size());
  if (kind == Compression::kGzip) {
    z_stream z{};
    EXPECT_EQ(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
    z.avail_in = static_cast<uInt>(stored.size());
    int result = Z_OK;
    while (result == Z_OK) {
      z.next_out = reinterpret_cast<Bytef*>(out.data());
      z.avail_out = static_cast<uInt>(out.size());
      result = inflate(&z, Z_NO_FLUSH);
    }
    EXPECT_EQ(result, Z_STREAM_END);
    inflateEnd(&z);
    return stored.size() - z.avail_in;
  }
  LZ4F_dctx* context = nullptr;
  LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  std::size_t at = 0;
  std::size_t wanted = 1;
  while (wanted > 0 && LZ4F_isError(wanted) == 0) {
    std::size_t consumed = stored.size() - at;
    std::size_t produced = out.size();
    wanted = LZ4F_decompress(context, out.data(), &produced, stored.data() + at, &consumed, nullptr);
    at += consumed;
  }
  EXPECT_EQ(wanted, 0U);
  LZ4F_freeDecompressionContext(context);
  return at;
}

struct Method {
  Compression kind;
  int level;
};

void PrintTo(const Method& method, std::ostream* out) { *out << name_of(method.kind) << method.level; }

class CompressStage : public testing::TestWithParam<Method> {};

TEST_P(CompressStage, ReturnsWhatWasPutInWhateverItsSizeAndTheNumberOfWorkers) {
  const auto [kind, level] = GetParam();
  const std::size_t block = block_size(kind, level);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block, 2 * block + 17}) {
    const std::string text = numbered_rows(size);
    for (const unsigned workers : {1U, 3U}) {
      const std::string stored = through_stage(compress(kind, level, workers), text);
      EXPECT_EQ(detect_compression(stream::bytes_of(stored)), kind);
      EXPECT_EQ(through_stage(decompress(kind), stored), text) << size << " bytes, " << workers << " workers";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, CompressStage,
                         testing::Values(Method{Compression::kGzip, 1}, Method{Compression::kBzip2, 1},
                                         Method{Compression::kZstd, 1}, Method{Compression::kLz4, 0},
                                         Method{Compression::kXz, 1}, Method{Compression::kSnappy, 0}),
                         [](const auto& test) {
                           return std::string(name_of(test.param.kind)) + std::to_string(test.param.level);
                         });

TEST(CompressInOneFrame, IsOneForEveryProgram) {
  for (const auto& [kind, level] :
       {Method{Compression::kGzip, 1}, Method{Compression::kZstd, 1}, Method{Compression::kLz4, 0}}) {
    const std::size_t block = block_size(kind, level);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block, 3 * block + 17}) {
      const std::string text = numbered_rows(size);
      const std::string stored = through_stage(compress_in_one_frame(kind, level, 3), text);
      EXPECT_EQ(detect_compression(stream::bytes_of(stored)), kind);
      EXPECT_EQ(through_stage(decompress(kind), stored), text) << name_of(kind) << " " << size;
      EXPECT_EQ(first_frame_size(kind, stored), stored.size()) << name_of(kind) << " " << size;
    }
  }
}

TEST(CompressInOneFrame, OtherFormatsComeBackToo) {
  const std::string text = numbered_rows(100000);
  for (const auto kind : {Compression::kBzip2, Compression::kSnappy, Compression::kXz}) {
    EXPECT_EQ(through_stage(decompress(kind), through_stage(compress_in_one_frame(kind, 1, 3), text)), text);
  }
}

TEST(DecompressAhead, IsTheSameOnAnotherThreadAndNothingForPlainBytes) {
  const std::string text = numbered_rows(100000);
  const std::string stored = through_stage(compress(Compression::kZstd, 1, 1), text);
  std::string out;
  const auto path =
      stream::chain(decompress_ahead(Compression::kZstd), std::make_unique<stream::AppendTo>(out));
  path->write(stream::bytes_of(stored));
  path->finish();
  EXPECT_EQ(out, text);
  EXPECT_TRUE(decompress_ahead(std::nullopt).empty());
}

TEST(Compress, DoesNotDependOnTheNumberOfWorkersNorOnTheSizeOfWrites) {
  const std::string text = numbered_rows(3000000);
  const std::string stored = through_stage(compress(Compression::kZstd, 1, 1), text);
  EXPECT_EQ(through_stage(compress(Compression::kZstd, 1, 4), text, 999), stored);
  EXPECT_EQ(through_stage(compress(Compression::kZstd, 1, 2), text, text.size()), stored);
}

// Takes so many bytes, then fails.
class FullDisk final : public stream::Sink {
 public:
  explicit FullDisk(std::size_t room) : room_(room) {}
  void write(stream::Bytes data) override {
    if (data.size() > room_) throw Error(ErrorKind::kFailed, "disk full");
    room_ -= data.size();
  }
  void finish() override { throw Error(ErrorKind::kFailed, "cannot sync"); }

 private:
  std::size_t room_;
};

TEST(CompressInOneFrame, WhatGzipCanReferToIsNotLostBetweenBlocks) {
  std::string text;  // repeats itself at a distance that is within the window and across all blocks
  while (text.size() < 4000000) text += numbered_rows(20000);
  const std::size_t alone = through_stage(compress(Compression::kGzip, 6, 1), text).size();
  const std::size_t one = through_stage(compress_in_one_frame(Compression::kGzip, 6, 2), text).size();
  EXPECT_LT(one, alone);
}

TEST(CompressInOneFrame, GzipIsTheSameWhateverTheNumberOfWorkers) {
  const std::string text = numbered_rows(3000000);
  EXPECT_EQ(through_stage(compress_in_one_frame(Compression::kGzip, 6, 1), text),
            through_stage(compress_in_one_frame(Compression::kGzip, 6, 4), text, 999));
}

TEST(Compress, AFailureBehindItComesOutInFront) {
  const std::string text = numbered_rows(12000000);
  const auto path = stream::chain(compress(Compression::kLz4, 0, 2), std::make_unique<FullDisk>(3000000));
  EXPECT_THROW(
      {
        path->write(stream::bytes_of(text));
        path->finish();
      },
      Error);
}

TEST(Compress, AFailureToFinishComesOutOfFinish) {
  const auto path = stream::chain(compress(Compression::kZstd, 1, 2), std::make_unique<FullDisk>(1000));
  path->write(stream::bytes_of("few bytes"));
  EXPECT_THROW(path->finish(), Error);
}

TEST(Compress, AnEncoderThatCannotBeMadeIsToldNotSwallowed) {
  const std::string text = numbered_rows(10000000);
  std::string out;
  const auto path = stream::chain(compress(Compression::kXz, 99, 2), std::make_unique<stream::AppendTo>(out));
  EXPECT_THROW(
      {
        path->write(stream::bytes_of(text));
        path->finish();
      },
      Error);
}

// Tells whether anybody finished it.
class Watched final : public stream::Sink {
 public:
  explicit Watched(bool& finished) : finished_(finished) {}
  void write(stream::Bytes) override {}
  void finish() override { finished_ = true; }

 private:
  bool& finished_;
};

TEST(Compress, AbandonedHalfWayPublishesNothing) {
  const std::string text = numbered_rows(4000000);
  bool finished = false;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1000}, text.size()}) {
    auto path = stream::chain(compress(Compression::kGzip, 6, 3), std::make_unique<Watched>(finished));
    path->write(stream::bytes_of(text).first(size));
    path.reset();
    EXPECT_FALSE(finished);
  }
}

TEST(Compress, TheDefaultNumberOfWorkersLeavesMemoryForOthers) {
  for (const auto kind : {Compression::kGzip, Compression::kBzip2, Compression::kZstd, Compression::kXz}) {
    for (int level = levels_of(kind).lowest; level <= levels_of(kind).highest; ++level) {
      const unsigned workers = default_workers(kind, level);
      EXPECT_GE(workers, 1U);
      EXPECT_LE((workers + 2) * 2 * block_size(kind, level), std::size_t{72} << 20U);
    }
  }
}

}  // namespace
}  // namespace barman::codec
