#include "codec/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <string>

#include "base/error.h"

namespace barman::codec {

namespace {

using stream::Buffer;
using stream::Bytes;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdCompressor final : public stream::Filter {
 public:
  ZstdCompressor(int level, std::optional<std::uint64_t> size, unsigned workers)
      : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    if (workers > 0) {
      checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(workers)));
      if (level < kFarSighted) checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_jobSize, kPiece));
    }
    if (size) checked(ZSTD_CCtx_setPledgedSrcSize(context_.get(), *size));
  }

  Step step(Bytes in, Buffer out, Input input) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const auto directive = input == Input::kLast ? ZSTD_e_end : ZSTD_e_continue;
    const std::size_t left = checked(ZSTD_compressStream2(context_.get(), &to, &from, directive));
    return {from.pos, to.pos, input == Input::kLast && left == 0 && from.pos == in.size()};
  }

 private:
  // Memory goes by the size of the pieces; those that the library takes itself are 8 MB and more.
  static constexpr int kPiece = 2 << 20;
  static constexpr int kFarSighted = 9;  // from this level on it looks back farther than such a piece is long

  static std::size_t checked(std::size_t result) {
    if (ZSTD_isError(result) == 0) return result;
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    throw Error(ErrorKind::kFailed, std::string("zstd compression failed: ") + ZSTD_getErrorName(result));
  }

  std::unique_ptr<ZSTD_CCtx, FreeZstd> context_;
};

class ZstdDecompressor final : public stream::Filter {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  Step step(Bytes in, Buffer out, Input input) override {
    if (between_ && in.empty()) return {0, 0, input == Input::kLast};
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t wanted = checked(ZSTD_decompressStream(context_.get(), &to, &from));
    between_ = wanted == 0;
    if (input == Input::kLast && from.pos == 0 && to.pos == 0 && !between_) {
      throw Error(ErrorKind::kCorrupt, "zstd data ends too early");
    }
    return {from.pos, to.pos, between_ && input == Input::kLast && from.pos == in.size()};
  }

 private:
  static std::size_t checked(std::size_t result) {
    if (ZSTD_isError(result) == 0) return result;
    const auto code = ZSTD_getErrorCode(result);
    if (code == ZSTD_error_memory_allocation) throw std::bad_alloc();
    const bool too_large = code == ZSTD_error_frameParameter_windowTooLarge;
    throw Error(too_large ? ErrorKind::kFailed : ErrorKind::kCorrupt,
                std::string(too_large ? "zstd data needs too much memory: " : "not valid zstd data: ") +
                    ZSTD_getErrorName(result));
  }

  std::unique_ptr<ZSTD_DCtx, FreeZstd> context_;
  bool between_ = false;  // after a whole frame
};

}  // namespace

std::unique_ptr<stream::Filter> zstd_compressor(int level, std::optional<std::uint64_t> size,
                                                unsigned workers) {
  return std::make_unique<ZstdCompressor>(level, size, workers);
}

std::unique_ptr<stream::Filter> zstd_decompressor() { return std::make_unique<ZstdDecompressor>(); }

}  // namespace barman::codec
