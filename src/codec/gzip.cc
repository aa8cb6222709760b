#include "codec/gzip.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/pending.h"

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

// A member of ours: plain bytes, not more of them.
constexpr std::size_t kMostPlain = std::size_t{1} << 20U;

// Its header: nothing but an extra field, which holds the size of the plain bytes and that of the member. So
// a reader that knows of it can take the member whole, and every other passes over it.
constexpr std::size_t kFixedHeader = 16;
constexpr std::string_view kHeaderOfOurs(
    "\x1f\x8b\x08\x04"  // gzip, deflated, with an extra field
    "\0\0\0\0\0\xff"    // no time, no particular system
    "\x0c\0"            // the length of all extra fields
    "Bm\x08\0",         // the name of ours, and its length
    kFixedHeader);
constexpr std::size_t kWholeHeader = kFixedHeader + 8;
constexpr std::size_t kTrailer = 8;

void put_number(Buffer at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> (8 * i) & 0xFFU);
}

std::size_t number_at(Bytes at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::size_t>(at[i]) << (8 * i);
  return value;
}

class GzipCompressor final : public stream::Filter {
 public:
  explicit GzipCompressor(int level) : deflater_(libdeflate_alloc_compressor(level)) {
    if (!deflater_) throw std::bad_alloc();
  }

  Step step(Bytes in, Buffer out, Input input) override {
    std::size_t consumed = 0;
    if (member_.empty()) {
      consumed = std::min(in.size(), kMostPlain - plain_.size());
      plain_.insert(plain_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
      const bool is_end = input == Input::kLast && consumed == in.size();
      if (is_end ? !plain_.empty() || !made_any_ : plain_.size() == kMostPlain) make_member();
    }
    const std::size_t produced = member_.take(out);
    const bool done = input == Input::kLast && consumed == in.size() && plain_.empty() && member_.empty();
    if (done) made_any_ = false;
    return {consumed, produced, done};
  }

 private:
  struct Free {
    void operator()(libdeflate_compressor* deflater) const { libdeflate_free_compressor(deflater); }
  };

  void make_member() {
    const std::size_t bound = libdeflate_deflate_compress_bound(deflater_.get(), plain_.size());
    const Buffer member = member_.room(kWholeHeader + bound + kTrailer);
    const std::size_t deflated = libdeflate_deflate_compress(deflater_.get(), plain_.data(), plain_.size(),
                                                             member.data() + kWholeHeader, bound);
    if (deflated == 0) throw std::bad_alloc();  // it always fits
    const std::size_t size = kWholeHeader + deflated + kTrailer;
    std::ranges::copy(stream::bytes_of(kHeaderOfOurs), member.begin());
    put_number(member.subspan(kFixedHeader), plain_.size());
    put_number(member.subspan(kFixedHeader + 4), size);
    put_number(member.subspan(size - 8), libdeflate_crc32(0, plain_.data(), plain_.size()));
    put_number(member.subspan(size - 4), plain_.size());
    member_.add(size);
    plain_.clear();
    made_any_ = true;
  }

  std::unique_ptr<libdeflate_compressor, Free> deflater_;
  std::vector<std::byte> plain_;
  Pending member_;
  bool made_any_ = false;
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
    if (!plain_.empty()) return {0, plain_.take(out), input == Input::kLast && in.empty() && plain_.empty()};
    switch (where_) {
      case Where::kBetween:
        if (in.empty() || in.front() == std::byte{0}) return between(in, input);
        where_ = Where::kHeader;
        return whole(in, out, input);
      case Where::kHeader:
      case Where::kWhole:
        return whole(in, out, input);
      case Where::kInside:
        break;
    }
    return inside(in, out, input);
  }

 private:
  // Before the first member, empty input is an error; after one it is the end.
  enum class Where { kHeader, kWhole, kInside, kBetween };

  struct Free {
    void operator()(libdeflate_decompressor* inflater) const { libdeflate_free_decompressor(inflater); }
  };

  // Zeroes are padding.
  static Step between(Bytes in, Input input) {
    const auto other = std::find_if(in.begin(), in.end(), [](std::byte b) { return b != std::byte{0}; });
    const auto padding = static_cast<std::size_t>(other - in.begin());
    return {padding, 0, input == Input::kLast && other == in.end()};
  }

  // A member of ours is gathered; with the first byte that is not of one, zlib goes on.
  Step whole(Bytes in, Buffer out, Input input) {
    if (in.empty() && input == Input::kLast) end_too_early();
    const Bytes header = stream::bytes_of(kHeaderOfOurs);
    std::size_t consumed = 0;
    for (; where_ == Where::kHeader && consumed < in.size(); ++consumed) {
      const bool is_fixed = member_.size() < kFixedHeader;
      if (is_fixed && in[consumed] != header[member_.size()]) {
        begin_inside();
        const Step rest = inside(in.subspan(consumed), out, input);
        return {consumed + rest.consumed, rest.produced, rest.done};
      }
      member_.push_back(in[consumed]);
      if (member_.size() == kWholeHeader) begin_whole();
    }
    if (where_ == Where::kHeader) return {consumed, 0, false};
    const Bytes part = in.subspan(consumed, std::min(in.size() - consumed, whole_size_ - member_.size()));
    member_.insert(member_.end(), part.begin(), part.end());
    consumed += part.size();
    if (member_.size() == whole_size_) inflate_whole();
    const std::size_t produced = plain_.take(out);
    const bool done = where_ == Where::kBetween && input == Input::kLast && consumed == in.size();
    return {consumed, produced, done && plain_.empty()};
  }

  void begin_whole() {
    plain_size_ = number_at(Bytes(member_).subspan(kFixedHeader));
    whole_size_ = number_at(Bytes(member_).subspan(kFixedHeader + 4));
    const std::size_t most = kWholeHeader + kMostPlain + kMostPlain / 8 + kTrailer;
    if (plain_size_ > kMostPlain || whole_size_ > most || whole_size_ < kWholeHeader + kTrailer) {
      throw Error(ErrorKind::kCorrupt, "not valid gzip data: impossible sizes in its header");
    }
    member_.reserve(whole_size_);
    where_ = Where::kWhole;
  }

  void inflate_whole() {
    if (!inflater_) inflater_.reset(libdeflate_alloc_decompressor());
    if (!inflater_) throw std::bad_alloc();
    const Buffer room = plain_.room(plain_size_);
    std::size_t used = 0;
    std::size_t made = 0;
    const auto result = libdeflate_gzip_decompress_ex(inflater_.get(), member_.data(), member_.size(),
                                                      room.data(), plain_size_, &used, &made);
    if (result != LIBDEFLATE_SUCCESS || used != member_.size() || made != plain_size_) {
      throw Error(ErrorKind::kCorrupt, "not valid gzip data: its checksum, size or codes are wrong");
    }
    plain_.add(plain_size_);
    member_.clear();
    where_ = Where::kBetween;
  }

  // What was taken for a member of ours is the beginning of a header: all of it is used, and nothing comes
  // out.
  void begin_inside() {
    if (inflateReset(&z_) != Z_OK) throw std::bad_alloc();
    where_ = Where::kInside;
    std::array<std::byte, 1> no_room{};
    if (!member_.empty()) (void)inside(member_, Buffer(no_room).first(0), Input::kMore);
    member_.clear();
  }

  Step inside(Bytes in, Buffer out, Input input) {
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
    if (step.consumed == 0 && step.produced == 0 && input == Input::kLast) end_too_early();
    return step;
  }

  [[noreturn]] static void end_too_early() { throw Error(ErrorKind::kCorrupt, "gzip data ends too early"); }

  z_stream z_{};
  std::unique_ptr<libdeflate_decompressor, Free> inflater_;
  Where where_ = Where::kHeader;
  std::vector<std::byte> member_;  // as far as it has come, unless zlib has it
  std::size_t whole_size_ = 0;
  std::size_t plain_size_ = 0;
  Pending plain_;
};

}  // namespace

std::unique_ptr<stream::Filter> gzip_compressor(int level) { return std::make_unique<GzipCompressor>(level); }

std::unique_ptr<stream::Filter> gzip_decompressor() { return std::make_unique<GzipDecompressor>(); }

}  // namespace barman::codec
