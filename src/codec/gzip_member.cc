#include "codec/gzip_member.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace barman::codec {
namespace {

constexpr std::size_t kMostForMember = 1UL << 30U;  // zlib counts in unsigned int
constexpr int kMemberWindow = 15 + 16;              // the largest, with gzip's frame
constexpr int kMemberMemory = 8;

class GzipMember final : public stream::Filter {
 public:
  explicit GzipMember(int level) {
    if (::deflateInit2(&z_, level, Z_DEFLATED, kMemberWindow, kMemberMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw Error(ErrorKind::kFailed, "zlib has no memory for compression");
    }
  }
  ~GzipMember() override { ::deflateEnd(&z_); }
  GzipMember(const GzipMember&) = delete;
  GzipMember& operator=(const GzipMember&) = delete;

  Step step(stream::Bytes in, stream::Buffer out, Input input) override {
    const std::size_t offered = std::min(in.size(), kMostForMember);
    const std::size_t room = std::min(out.size(), kMostForMember);
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // zlib only reads
    z_.avail_in = static_cast<uInt>(offered);
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(room);
    const bool last = input == Input::kLast && offered == in.size();
    const int result = ::deflate(&z_, last ? Z_FINISH : Z_NO_FLUSH);
    if (result == Z_STREAM_ERROR) throw Error(ErrorKind::kFailed, "zlib cannot compress");
    return {
        .consumed = offered - z_.avail_in, .produced = room - z_.avail_out, .done = result == Z_STREAM_END};
  }

 private:
  z_stream z_{};
};

}  // namespace

std::unique_ptr<stream::Filter> gzip_member_compressor(int level) {
  return std::make_unique<GzipMember>(level);
}

}  // namespace barman::codec
