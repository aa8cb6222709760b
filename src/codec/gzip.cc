#include "codec/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/error.h"

namespace barman::codec {

namespace {

using stream::Buffer;
using stream::Bytes;

constexpr int kGzipWindow = 15 + 16;  // the largest window, with gzip's header

// zlib counts in 32 bits.
uInt clamped_to_uint(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max() / 2));
}

void hand_to_zlib(z_stream& z, Bytes in, Buffer out) {
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  z.avail_in = clamped_to_uint(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = clamped_to_uint(out.size());
}

class GzipCompressor final : public stream::Filter {
 public:
  explicit GzipCompressor(int level) {
    constexpr int kMemoryLevel = 8;
    if (deflateInit2(&z_, level, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipCompressor() override { deflateEnd(&z_); }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    if (ended_ && deflateReset(&z_) != Z_OK) throw std::bad_alloc();
    hand_to_zlib(z_, in, out);
    const uInt offered = z_.avail_in;
    const uInt room = z_.avail_out;
    const bool last = input == Input::kLast && offered == in.size();
    const int result = deflate(&z_, last ? Z_FINISH : Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    return {offered - z_.avail_in, room - z_.avail_out, ended_};
  }

 private:
  z_stream z_{};
  bool ended_ = false;
};

class GzipDecompressor final : public stream::Filter {
 public:
  GzipDecompressor() {
    if (inflateInit2(&z_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecompressor() override { inflateEnd(&z_); }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    if (where_ == Where::kBetween && !in.empty()) {
      if (const std::size_t padding = count_zeros(in); padding != 0) return {padding, 0, false};
      if (inflateReset(&z_) != Z_OK) throw std::bad_alloc();
      where_ = Where::kInside;
    }
    if (where_ == Where::kBetween) return {0, 0, input == Input::kLast};
    return step_inside(in, out, input);
  }

 private:
  // Before the first member, empty input is an error; after one it is the end.
  enum class Where { kInside, kBetween };

  static std::size_t count_zeros(Bytes in) {
    const auto other = std::find_if(in.begin(), in.end(), [](std::byte b) { return b != std::byte{0}; });
    return static_cast<std::size_t>(other - in.begin());
  }

  Step step_inside(Bytes in, Buffer out, Input input) {
    hand_to_zlib(z_, in, out);
    const uInt offered = z_.avail_in;
    const uInt room = z_.avail_out;
    const int result = inflate(&z_, Z_NO_FLUSH);
    const Step step{offered - z_.avail_in, room - z_.avail_out, false};
    if (result == Z_STREAM_END) {
      where_ = Where::kBetween;
      return {step.consumed, step.produced, input == Input::kLast && step.consumed == in.size()};
    }
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_BUF_ERROR) {
      throw Error(ErrorKind::kCorrupt,
                  std::string("not valid gzip data: ") + (z_.msg != nullptr ? z_.msg : "unknown"));
    }
    if (step.consumed == 0 && step.produced == 0 && input == Input::kLast) {
      throw Error(ErrorKind::kCorrupt, "gzip data ends too early");
    }
    return step;
  }

  z_stream z_{};
  Where where_ = Where::kInside;
};

}  // namespace

std::unique_ptr<stream::Filter> gzip_compressor(int level) { return std::make_unique<GzipCompressor>(level); }

std::unique_ptr<stream::Filter> gzip_decompressor() { return std::make_unique<GzipDecompressor>(); }

}  // namespace barman::codec
