#include "codec/xz.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/error.h"

namespace barman::codec {

namespace {

using stream::Buffer;
using stream::Bytes;

constexpr std::uint64_t kXzMemory = std::uint64_t{128} << 20U;

void hand_to_lzma(lzma_stream& xz, Bytes in, Buffer out) {
  xz.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
  xz.avail_in = in.size();
  xz.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  xz.avail_out = out.size();
}

class XzCompressor final : public stream::Filter {
 public:
  XzCompressor(int level, std::optional<std::uint64_t> size) {
    if (lzma_lzma_preset(&options_, static_cast<std::uint32_t>(level)) != 0) {
      throw Error(ErrorKind::kFailed, "xz has no level " + std::to_string(level));
    }
    if (size) {
      const auto enough = std::max<std::uint64_t>(*size, LZMA_DICT_SIZE_MIN);
      options_.dict_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(options_.dict_size, enough));
    }
  }
  ~XzCompressor() override { lzma_end(&xz_); }
  XzCompressor(const XzCompressor&) = delete;
  XzCompressor& operator=(const XzCompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    if (!begun_) begin();
    hand_to_lzma(xz_, in, out);
    const lzma_ret result = lzma_code(&xz_, input == Input::kLast ? LZMA_FINISH : LZMA_RUN);
    if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR) {
      throw Error(ErrorKind::kFailed, "xz compression failed");
    }
    begun_ = result != LZMA_STREAM_END;
    return {in.size() - xz_.avail_in, out.size() - xz_.avail_out, !begun_};
  }

 private:
  void begin() {
    const std::array<lzma_filter, 2> filters{
        {{.id = LZMA_FILTER_LZMA2, .options = &options_}, {.id = LZMA_VLI_UNKNOWN, .options = nullptr}}};
    if (lzma_stream_encoder(&xz_, filters.data(), LZMA_CHECK_CRC64) != LZMA_OK) throw std::bad_alloc();
    begun_ = true;
  }

  lzma_options_lzma options_{};
  lzma_stream xz_ = LZMA_STREAM_INIT;
  bool begun_ = false;
};

class XzDecompressor final : public stream::Filter {
 public:
  XzDecompressor() {
    if (lzma_stream_decoder(&xz_, kXzMemory, LZMA_CONCATENATED) != LZMA_OK) throw std::bad_alloc();
  }
  ~XzDecompressor() override { lzma_end(&xz_); }
  XzDecompressor(const XzDecompressor&) = delete;
  XzDecompressor& operator=(const XzDecompressor&) = delete;

  Step step(Bytes in, Buffer out, Input input) override {
    hand_to_lzma(xz_, in, out);
    const lzma_ret result = lzma_code(&xz_, input == Input::kLast ? LZMA_FINISH : LZMA_RUN);
    const Step step{in.size() - xz_.avail_in, out.size() - xz_.avail_out, result == LZMA_STREAM_END};
    if (result == LZMA_STREAM_END) return step;
    if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (result == LZMA_MEMLIMIT_ERROR) {
      throw Error(ErrorKind::kFailed, "xz data needs more than 128 MiB of memory");
    }
    if (result != LZMA_OK && result != LZMA_BUF_ERROR) {
      throw Error(ErrorKind::kCorrupt, "not valid xz data");
    }
    if (input == Input::kLast && in.empty() && step.produced == 0) {
      throw Error(ErrorKind::kCorrupt, "xz data ends too early");
    }
    return step;
  }

 private:
  lzma_stream xz_ = LZMA_STREAM_INIT;
};

}  // namespace

std::unique_ptr<stream::Filter> xz_compressor(int level, std::optional<std::uint64_t> size) {
  return std::make_unique<XzCompressor>(level, size);
}

std::unique_ptr<stream::Filter> xz_decompressor() { return std::make_unique<XzDecompressor>(); }

}  // namespace barman::codec
