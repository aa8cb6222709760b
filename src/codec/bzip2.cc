#include "codec/bzip2.h"

#include <bzlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/error.h"

namespace barman::codec {

namespace {

using stream::Buffer;
using stream::Bytes;

// libbz2 counts in 32 bits.
unsigned for_libbz2(std::size_t size) {
  return static_cast<unsigned>(std::min<std::size_t>(size, std::numeric_limits<unsigned>::max() / 2));
}

void hand_to_libbz2(bz_stream& bz, Bytes in, Buffer out) {
  bz.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
  bz.avail_in = for_libbz2(in.size());
  bz.next_out = reinterpret_cast<char*>(out.data());
  bz.avail_out = for_libbz2(out.size());
}

class Bzip2Compressor final : public stream::Filter {
 public:
  explicit Bzip2Compressor(int level) : level_(level) { begin(); }
  ~Bzip2Compressor() override { BZ2_bzCompressEnd(&bz_); }
  Bzip2Compressor(const Bzip2Compressor&) = delete;
  Bzip2Compressor& operator=(const Bzip2Compressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    // Once told to finish, libbz2 takes no more input: that is said when all of it was taken.
    if (in.empty() && input == Input::kMore) return {0, 0, false};
    if (ended_) {
      BZ2_bzCompressEnd(&bz_);
      begin();
    }
    hand_to_libbz2(bz_, in, out);
    const unsigned offered = bz_.avail_in;
    const unsigned room = bz_.avail_out;
    const int result = BZ2_bzCompress(&bz_, in.empty() ? BZ_FINISH : BZ_RUN);
    if (result < 0) throw Error(ErrorKind::kFailed, "bzip2 compression failed");
    ended_ = result == BZ_STREAM_END;
    return {offered - bz_.avail_in, room - bz_.avail_out, ended_};
  }

 private:
  void begin() {
    bz_ = bz_stream{};
    if (BZ2_bzCompressInit(&bz_, level_, 0, 0) != BZ_OK) throw std::bad_alloc();
    ended_ = false;
  }

  bz_stream bz_{};
  int level_;
  bool ended_ = false;
};

class Bzip2Decompressor final : public stream::Filter {
 public:
  Bzip2Decompressor() { begin(); }
  ~Bzip2Decompressor() override { BZ2_bzDecompressEnd(&bz_); }
  Bzip2Decompressor(const Bzip2Decompressor&) = delete;
  Bzip2Decompressor& operator=(const Bzip2Decompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    if (between_ && in.empty()) return {0, 0, input == Input::kLast};
    if (between_) {
      BZ2_bzDecompressEnd(&bz_);
      begin();
    }
    hand_to_libbz2(bz_, in, out);
    const unsigned offered = bz_.avail_in;
    const unsigned room = bz_.avail_out;
    const int result = BZ2_bzDecompress(&bz_);
    const Step step{offered - bz_.avail_in, room - bz_.avail_out, false};
    if (result == BZ_STREAM_END) {
      between_ = true;
      return {step.consumed, step.produced, input == Input::kLast && step.consumed == in.size()};
    }
    if (result == BZ_MEM_ERROR) throw std::bad_alloc();
    if (result != BZ_OK) throw Error(ErrorKind::kCorrupt, "not valid bzip2 data");
    if (step.consumed == 0 && step.produced == 0 && input == Input::kLast) {
      throw Error(ErrorKind::kCorrupt, "bzip2 data ends too early");
    }
    return step;
  }

 private:
  void begin() {
    bz_ = bz_stream{};
    if (BZ2_bzDecompressInit(&bz_, 0, 0) != BZ_OK) throw std::bad_alloc();
    between_ = false;
  }

  bz_stream bz_{};
  bool between_ = false;  // after a whole stream
};

}  // namespace

std::unique_ptr<stream::Filter> bzip2_compressor(int level) {
  return std::make_unique<Bzip2Compressor>(level);
}

std::unique_ptr<stream::Filter> bzip2_decompressor() { return std::make_unique<Bzip2Decompressor>(); }

}  // namespace barman::codec
