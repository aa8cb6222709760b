// Formats of one frame whose blocks do not wait for each other.
#include <lz4frame.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

#include "base/error.h"
#include "codec/block_format.h"

namespace barman::codec {
namespace {

using stream::Bytes;

std::vector<std::byte> bytes_from(std::string_view text) {
  const Bytes bytes = stream::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

// Deflated data without a header, up to a byte's end and without the mark of the last block.
class Deflater {
 public:
  explicit Deflater(int level) {
    constexpr int kWindow = -15;  // the largest, raw
    constexpr int kMemoryLevel = 8;
    if (deflateInit2(&z_, level, Z_DEFLATED, kWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&z_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void run(Block& block) {
    if (deflateReset(&z_) != Z_OK || (!block.before.empty() && !look_back(block.before))) refuse();
    constexpr std::size_t kFlush = 64;  // what the end of the data adds to the bound
    block.room.resize(std::max(block.room.size(), deflateBound(&z_, block.plain.size()) + kFlush));
    z_.next_in = bytes_at(block.plain.data());
    z_.avail_in = static_cast<uInt>(block.plain.size());
    z_.next_out = reinterpret_cast<Bytef*>(block.room.data());
    z_.avail_out = static_cast<uInt>(block.room.size());
    if (deflate(&z_, Z_SYNC_FLUSH) != Z_OK || z_.avail_in != 0 || z_.avail_out == 0) refuse();
    block.size = block.room.size() - z_.avail_out;
  }

 private:
  static Bytef* bytes_at(const std::byte* data) {
    return reinterpret_cast<Bytef*>(const_cast<std::byte*>(data));
  }
  bool look_back(Bytes before) {
    return deflateSetDictionary(&z_, bytes_at(before.data()), static_cast<uInt>(before.size())) == Z_OK;
  }
  [[noreturn]] static void refuse() { throw Error(ErrorKind::kFailed, "zlib cannot compress"); }

  z_stream z_{};
};

class OneGzipMember final : public BlockFormat {
 public:
  OneGzipMember(int level, unsigned workers) : level_(level), deflaters_(workers) {}

  [[nodiscard]] std::size_t window() const override { return 32768; }

  void encode(unsigned worker, Block& block) override {
    auto& deflater = deflaters_.at(worker);
    if (!deflater) deflater = std::make_unique<Deflater>(level_);
    deflater->run(block);
    block.check = crc_of(block.plain);
  }

  std::vector<std::byte> front() override {
    // Deflated, no name, no time, no particular system.
    return bytes_from(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  }

  void passed(const Block& block) override {
    crc_ = static_cast<std::uint32_t>(
        crc32_combine(crc_, block.check, static_cast<z_off_t>(block.plain.size())));
    plain_ += block.plain.size();
  }

  std::vector<std::byte> end(bool /*had_blocks*/) override {
    std::vector<std::byte> end = bytes_from(std::string_view("\x03\0", 2));  // an empty last block
    for (const std::uint64_t number : {std::uint64_t{crc_}, plain_}) {
      for (unsigned i = 0; i < 4; ++i) end.push_back(static_cast<std::byte>(number >> (8 * i) & 0xFFU));
    }
    return end;
  }

 private:
  static std::uint32_t crc_of(Bytes bytes) {
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  }

  const int level_;
  std::vector<std::unique_ptr<Deflater>> deflaters_;  // of each worker
  std::uint32_t crc_ = 0;
  std::uint64_t plain_ = 0;
};

// Each block is compressed as a frame of its own, which is one block, and loses its header and its end.
class OneLz4Frame final : public BlockFormat {
 public:
  explicit OneLz4Frame(int level) {
    preferences_.frameInfo.blockSizeID = LZ4F_max1MB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences_.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    preferences_.compressionLevel = level;
  }

  void encode(unsigned /*worker*/, Block& block) override {
    block.room.resize(
        std::max(block.room.size(), LZ4F_compressFrameBound(block.plain.size(), &preferences_)));
    const std::size_t frame = checked(LZ4F_compressFrame(
        block.room.data(), block.room.size(), block.plain.data(), block.plain.size(), &preferences_));
    block.size = frame - kHeader - kEnd;
    std::copy_n(block.room.begin() + kHeader, block.size, block.room.begin());
  }

  std::vector<std::byte> front() override {
    std::vector<std::byte> frame(LZ4F_compressFrameBound(0, &preferences_));
    LZ4F_cctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
    const std::size_t size = LZ4F_compressBegin(context, frame.data(), frame.size(), &preferences_);
    LZ4F_freeCompressionContext(context);
    frame.resize(checked(size));
    return frame;
  }

  std::vector<std::byte> end(bool /*had_blocks*/) override { return std::vector<std::byte>(kEnd); }

 private:
  static constexpr std::size_t kHeader = 7;  // without the optional fields
  static constexpr std::size_t kEnd = 4;     // a block of no bytes

  static std::size_t checked(std::size_t result) {
    if (LZ4F_isError(result) != 0) {
      throw Error(ErrorKind::kFailed, std::string("lz4 compression failed: ") + LZ4F_getErrorName(result));
    }
    return result;
  }

  LZ4F_preferences_t preferences_{};
};

}  // namespace

std::unique_ptr<BlockFormat> one_gzip_member(int level, unsigned workers) {
  return std::make_unique<OneGzipMember>(level, workers);
}

std::unique_ptr<BlockFormat> one_lz4_frame(int level) { return std::make_unique<OneLz4Frame>(level); }

}  // namespace barman::codec
