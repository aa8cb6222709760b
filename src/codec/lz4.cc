#include "codec/lz4.h"

#include <lz4frame.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/pending.h"

namespace barman::codec {

namespace {

using stream::Buffer;
using stream::Bytes;

struct FreeLz4 {
  void operator()(LZ4F_cctx* context) const { LZ4F_freeCompressionContext(context); }
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

class Lz4Compressor final : public stream::Filter {
 public:
  explicit Lz4Compressor(int level) {
    preferences_.frameInfo.blockSizeID = LZ4F_max1MB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences_.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    preferences_.compressionLevel = level;
    LZ4F_cctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
    context_.reset(context);
  }

  Step step(Bytes in, Buffer out, Input input) override {
    if (!pending_.empty()) return drain(0, out);
    const bool last = input == Input::kLast;
    if (!begun_ && last && out.size() >= LZ4F_compressFrameBound(in.size(), &preferences_)) {
      return {in.size(), compress_whole(in, out), true};
    }
    if (!begun_) begin();
    const Bytes part = in.first(std::min<std::size_t>(in.size(), kPart));
    if (!part.empty()) update(part);
    if (last && part.size() == in.size()) end();
    return drain(part.size(), out);
  }

 private:
  static constexpr std::size_t kPart = std::size_t{1} << 20U;  // of input at a time

  static std::size_t checked(std::size_t result) {
    if (LZ4F_isError(result) != 0) {
      throw Error(ErrorKind::kFailed, std::string("lz4 compression failed: ") + LZ4F_getErrorName(result));
    }
    return result;
  }

  std::size_t compress_whole(Bytes in, Buffer out) const {
    return checked(LZ4F_compressFrame(out.data(), out.size(), in.data(), in.size(), &preferences_));
  }

  void begin() {
    const Buffer room = pending_.room(LZ4F_HEADER_SIZE_MAX);
    pending_.add(checked(LZ4F_compressBegin(context_.get(), room.data(), room.size(), &preferences_)));
    begun_ = true;
  }

  void update(Bytes part) {
    const Buffer room = pending_.room(LZ4F_compressBound(part.size(), &preferences_));
    pending_.add(checked(
        LZ4F_compressUpdate(context_.get(), room.data(), room.size(), part.data(), part.size(), nullptr)));
  }

  void end() {
    const Buffer room = pending_.room(LZ4F_compressBound(0, &preferences_));
    pending_.add(checked(LZ4F_compressEnd(context_.get(), room.data(), room.size(), nullptr)));
    begun_ = false;
    ending_ = true;
  }

  Step drain(std::size_t consumed, Buffer out) {
    const std::size_t produced = pending_.take(out);
    const bool done = ending_ && pending_.empty();
    if (done) ending_ = false;
    return {consumed, produced, done};
  }

  LZ4F_preferences_t preferences_{};
  std::unique_ptr<LZ4F_cctx, FreeLz4> context_;
  Pending pending_;
  bool begun_ = false;
  bool ending_ = false;  // the frame is complete once `pending_` is taken
};

class Lz4Decompressor final : public stream::Filter {
 public:
  Lz4Decompressor() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
    context_.reset(context);
  }

  Step step(Bytes in, Buffer out, Input input) override {
    if (between_ && in.empty()) return {0, 0, input == Input::kLast};
    std::size_t consumed = in.size();
    std::size_t produced = out.size();
    const std::size_t wanted =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(wanted) != 0) {
      throw Error(ErrorKind::kCorrupt, std::string("not valid lz4 data: ") + LZ4F_getErrorName(wanted));
    }
    between_ = wanted == 0;
    if (input == Input::kLast && consumed == 0 && produced == 0 && !between_) {
      throw Error(ErrorKind::kCorrupt, "lz4 data ends too early");
    }
    return {consumed, produced, between_ && input == Input::kLast && consumed == in.size()};
  }

 private:
  std::unique_ptr<LZ4F_dctx, FreeLz4> context_;
  bool between_ = false;  // after a whole frame
};

}  // namespace

std::unique_ptr<stream::Filter> lz4_compressor(int level) { return std::make_unique<Lz4Compressor>(level); }

std::unique_ptr<stream::Filter> lz4_decompressor() { return std::make_unique<Lz4Decompressor>(); }

}  // namespace barman::codec
