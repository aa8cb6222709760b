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
unsigned clamped(std::size_t size) {
  return static_cast<unsigned>(std::min<std::size_t>(size, std::numeric_limits<unsigned>::max() / 2));
}

void hand_over(bz_stream& bz, Bytes in, Buffer out) {
  bz.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
  bz.avail_in = clamped(in.size());
  bz.next_out = reinterpret_cast<char*>(out.data());
  bz.avail_out = clamped(out.size());
}

class Compressor final : public stream::Filter {
 public:
  explicit Compressor(int level) {
    if (BZ2_bzCompressInit(&bz_, level, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  ~Compressor() override { BZ2_bzCompressEnd(&bz_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    // Once told to finish, libbz2 takes no more input: that is said when all of it was taken.
    if (in.empty() && input == Input::kMore) return {0, 0, false};
    hand_over(bz_, in, out);
    const unsigned offered = bz_.avail_in;
    const unsigned room = bz_.avail_out;
    const int result = BZ2_bzCompress(&bz_, in.empty() ? BZ_FINISH : BZ_RUN);
    if (result < 0) throw Error(ErrorKind::kFailed, "bzip2 compression failed");
    return {offered - bz_.avail_in, room - bz_.avail_out, result == BZ_STREAM_END};
  }

 private:
  bz_stream bz_{};
};

class Decompressor final : public stream::Filter {
 public:
  Decompressor() { begin(); }
  ~Decompressor() override { BZ2_bzDecompressEnd(&bz_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    if (between_ && in.empty()) return {0, 0, input == Input::kLast};
    if (between_) {
      BZ2_bzDecompressEnd(&bz_);
      begin();
    }
    hand_over(bz_, in, out);
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

std::unique_ptr<stream::Filter> bzip2_compressor(int level) { return std::make_unique<Compressor>(level); }

std::unique_ptr<stream::Filter> bzip2_decompressor() { return std::make_unique<Decompressor>(); }

}  // namespace barman::codec
