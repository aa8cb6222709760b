#include "codec/detect.h"

#include <array>
#include <cstdint>

namespace barman::codec {

namespace {

using namespace std::literals;

struct Magic {
  Compression compression;
  std::string_view name;
  std::string_view bytes;
};

// In the order of the enumerators.
constexpr std::array kMagics = {
    Magic{Compression::kBzip2, "bzip2", "BZh"sv},
    Magic{Compression::kGzip, "gzip", "\x1f\x8b\x08"sv},
    Magic{Compression::kLz4, "lz4", "\x04\x22\x4d\x18"sv},
    Magic{Compression::kSnappy, "snappy", "\xff\x06\x00\x00sNaPpY"sv},
    Magic{Compression::kXz, "xz", "\xfd\x37zXZ\x00"sv},
    Magic{Compression::kZstd, "zstd", "\x28\xb5\x2f\xfd"sv},
};

// A packet's tag, and where its body starts.
struct Packet {
  unsigned tag = 0;
  std::size_t body = 0;
};

std::optional<Packet> parse_packet(stream::Bytes bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = std::to_integer<unsigned>(bytes[0]);
  if ((first & 0x80U) == 0) return std::nullopt;
  if ((first & 0x40U) == 0) {
    constexpr std::array<std::size_t, 4> kLengthBytes = {1, 2, 4, 0};
    return Packet{(first >> 2U) & 0x0FU, 1 + kLengthBytes[first & 0x03U]};
  }
  const auto length = std::to_integer<unsigned>(bytes[1]);
  const std::size_t length_bytes = length < 192 || (length >= 224 && length < 255) ? 1
                                   : length == 255                                 ? 5
                                                                                   : 2;
  return Packet{first & 0x3FU, 1 + length_bytes};
}

}  // namespace

std::string_view name_of(Compression compression) {
  return kMagics[static_cast<std::size_t>(compression)].name;
}

std::optional<Compression> detect_compression(stream::Bytes front) {
  for (const Magic& magic : kMagics) {
    if (stream::text_of(front).substr(0, magic.bytes.size()) == magic.bytes) return magic.compression;
  }
  return std::nullopt;
}

bool is_openpgp_encrypted(stream::Bytes front) {
  const auto packet = parse_packet(front);
  if (!packet || packet->body >= front.size()) return false;
  const auto version = std::to_integer<unsigned>(front[packet->body]);
  constexpr unsigned kPublicKeySessionKey = 1;
  constexpr unsigned kSymmetricKeySessionKey = 3;
  if (packet->tag == kPublicKeySessionKey) return version == 3 || version == 6;
  if (packet->tag == kSymmetricKeySessionKey) return version >= 4 && version <= 6;
  return false;
}

}  // namespace barman::codec
