#include "codec/snappy.h"

#include <snappy.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/pending.h"
#include "pgformat/crc32c.h"

namespace barman::codec {

namespace {

using namespace std::literals;
using stream::Buffer;
using stream::Bytes;

constexpr std::string_view kIdentifier = "\xff\x06\x00\x00sNaPpY"sv;
constexpr std::size_t kBlock = 65536;    // of plain bytes in one chunk, at most
constexpr std::size_t kChunkHeader = 4;  // type, and the length of the rest in three bytes
constexpr std::size_t kChecksum = 4;

constexpr unsigned kCompressedChunk = 0x00;
constexpr unsigned kPlainChunk = 0x01;
constexpr unsigned kFirstSkippableChunk = 0x80;
constexpr unsigned kIdentifierChunk = 0xff;

std::uint32_t masked_checksum(Bytes data) {
  const std::uint32_t crc = pgformat::crc32c(0, data.data(), data.size());
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

void put_number(Buffer at, std::uint32_t number) {
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<std::byte>((number >> (8 * i)) & 0xffU);
}

std::uint32_t get_number(Bytes at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < at.size(); ++i) number |= std::to_integer<std::uint32_t>(at[i]) << (8 * i);
  return number;
}

const char* chars(Bytes bytes) { return reinterpret_cast<const char*>(bytes.data()); }
char* chars(Buffer bytes) { return reinterpret_cast<char*>(bytes.data()); }

class SnappyCompressor final : public stream::Filter {
 public:
  Step step(Bytes in, Buffer out, Input input) override {
    if (!pending_.empty()) return drain(0, out);
    if (!begun_) pending_.add(stream::bytes_of(kIdentifier));
    begun_ = true;
    const std::size_t part = std::min(in.size(), kBlock - block_.size());
    block_.insert(block_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(part));
    const bool last = input == Input::kLast && part == in.size();
    if (block_.size() == kBlock || (last && !block_.empty())) put_chunk();
    if (last) {
      begun_ = false;
      ending_ = true;
    }
    return drain(part, out);
  }

 private:
  void put_chunk() {
    const std::size_t room_size = kChunkHeader + kChecksum + ::snappy::MaxCompressedLength(block_.size());
    const Buffer room = pending_.room(room_size);
    const Buffer body = room.subspan(kChunkHeader + kChecksum);
    std::size_t size = 0;
    ::snappy::RawCompress(chars(Bytes(block_)), block_.size(), chars(body), &size);
    const bool worth_it = size < block_.size();
    if (!worth_it) {
      stream::copy(block_, body);
      size = block_.size();
    }
    room[0] = static_cast<std::byte>(worth_it ? kCompressedChunk : kPlainChunk);
    put_number(room.subspan(1, 3), static_cast<std::uint32_t>(kChecksum + size));
    put_number(room.subspan(kChunkHeader, kChecksum), masked_checksum(block_));
    pending_.add(kChunkHeader + kChecksum + size);
    block_.clear();
  }

  Step drain(std::size_t consumed, Buffer out) {
    const std::size_t produced = pending_.take(out);
    const bool done = ending_ && pending_.empty();
    if (done) ending_ = false;
    return {consumed, produced, done};
  }

  std::vector<std::byte> block_;
  Pending pending_;
  bool begun_ = false;
  bool ending_ = false;
};

[[noreturn]] void throw_not_snappy(const char* why) {
  throw Error(ErrorKind::kCorrupt, std::string("not valid snappy data: ") + why);
}

class SnappyDecompressor final : public stream::Filter {
 public:
  Step step(Bytes in, Buffer out, Input input) override {
    if (!pending_.empty()) return {0, pending_.take(out), false};
    if (in.empty()) {
      if (input == Input::kMore) return {0, 0, false};
      if (!begun_ || !chunk_.empty() || skip_ != 0) {
        throw Error(ErrorKind::kCorrupt, "snappy data ends too early");
      }
      return {0, 0, true};
    }
    const std::size_t consumed = skip_ != 0 ? skip(in) : collect(in);
    return {consumed, pending_.take(out), false};
  }

 private:
  std::size_t skip(Bytes in) {
    const std::size_t size = std::min(in.size(), skip_);
    skip_ -= size;
    return size;
  }

  // Takes what completes the chunk's header, or the chunk.
  std::size_t collect(Bytes in) {
    const std::size_t wanted = chunk_.size() < kChunkHeader ? kChunkHeader : kChunkHeader + body_size();
    const std::size_t size = std::min(in.size(), wanted - chunk_.size());
    chunk_.insert(chunk_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
    if (chunk_.size() == kChunkHeader) look_at_header();
    if (chunk_.size() > kChunkHeader && chunk_.size() == kChunkHeader + body_size()) take_chunk();
    return size;
  }

  [[nodiscard]] unsigned type() const { return std::to_integer<unsigned>(chunk_[0]); }
  [[nodiscard]] std::size_t body_size() const { return get_number(Bytes(chunk_).subspan(1, 3)); }

  void look_at_header() {
    constexpr std::size_t kIdentifierBody = 6;
    if (type() == kIdentifierChunk) {
      if (body_size() != kIdentifierBody) throw_not_snappy("wrong identifier");
    } else if (!begun_) {
      throw_not_snappy("no identifier");
    } else if (type() >= kFirstSkippableChunk) {
      skip_ = body_size();
      chunk_.clear();
    } else if (type() != kCompressedChunk && type() != kPlainChunk) {
      throw_not_snappy("unknown kind of chunk");
    } else if (body_size() <= kChecksum || body_size() > kChecksum + ::snappy::MaxCompressedLength(kBlock)) {
      throw_not_snappy("impossible size of a chunk");
    }
  }

  void take_chunk() {
    if (type() == kIdentifierChunk) {
      if (stream::text_of(chunk_) != kIdentifier) throw_not_snappy("wrong identifier");
      begun_ = true;
    } else {
      take_data(Bytes(chunk_).subspan(kChunkHeader));
    }
    chunk_.clear();
  }

  void take_data(Bytes body) {
    const Bytes data = body.subspan(kChecksum);
    std::size_t size = data.size();
    const bool compressed = type() == kCompressedChunk;
    if (compressed && !::snappy::GetUncompressedLength(chars(data), data.size(), &size)) {
      throw_not_snappy("damaged block");
    }
    if (size > kBlock) throw_not_snappy("block too large");
    const Buffer room = pending_.room(size);
    if (!compressed) {
      stream::copy(data, room);
    } else if (!::snappy::RawUncompress(chars(data), data.size(), chars(room))) {
      throw_not_snappy("damaged block");
    }
    if (masked_checksum(room) != get_number(body.first(kChecksum))) throw_not_snappy("wrong checksum");
    pending_.add(size);
  }

  std::vector<std::byte> chunk_;  // as far as it has come
  std::size_t skip_ = 0;          // bytes of a chunk that is not for us
  Pending pending_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<stream::Filter> snappy_compressor() { return std::make_unique<SnappyCompressor>(); }

std::unique_ptr<stream::Filter> snappy_decompressor() { return std::make_unique<SnappyDecompressor>(); }

}  // namespace barman::codec
