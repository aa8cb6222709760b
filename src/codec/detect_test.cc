#include "codec/detect.h"

#include <gtest/gtest.h>

#include <string>

namespace barman::codec {
namespace {

using namespace std::literals;
using stream::bytes_of;

TEST(Detect, KnowsEveryCompressionByItsMagic) {
  const std::pair<std::string_view, Compression> cases[] = {
      {"BZh9"sv, Compression::kBzip2},
      {"\x1f\x8b\x08\x00"sv, Compression::kGzip},
      {"\x04\x22\x4d\x18\x64"sv, Compression::kLz4},
      {"\xff\x06\x00\x00sNaPpY"sv, Compression::kSnappy},
      {"\xfd\x37zXZ\x00\x00"sv, Compression::kXz},
      {"\x28\xb5\x2f\xfd\x04"sv, Compression::kZstd},
  };
  for (const auto& [front, expected] : cases) {
    EXPECT_EQ(detect_compression(bytes_of(front)), expected) << name_of(expected);
  }
}

TEST(Detect, NamesAreThoseOfTheConfiguration) {
  EXPECT_EQ(name_of(Compression::kBzip2), "bzip2");
  EXPECT_EQ(name_of(Compression::kGzip), "gzip");
  EXPECT_EQ(name_of(Compression::kLz4), "lz4");
  EXPECT_EQ(name_of(Compression::kSnappy), "snappy");
  EXPECT_EQ(name_of(Compression::kXz), "xz");
  EXPECT_EQ(name_of(Compression::kZstd), "zstd");
}

TEST(Detect, PlainWalIsNeitherCompressedNorEncrypted) {
  for (const auto front : {"\x10\xd1\x07\x00\x01\x00\x00\x00"sv, "\x18\xd1"sv, "1\t0/3000000\tno"sv, ""sv}) {
    EXPECT_EQ(detect_compression(bytes_of(front)), std::nullopt);
    EXPECT_FALSE(is_openpgp_encrypted(bytes_of(front)));
  }
}

TEST(Detect, MagicCutShortIsNoMagic) {
  const std::string_view snappy = "\xff\x06\x00\x00sNaPpY"sv;
  for (std::size_t size = 0; size < snappy.size(); ++size) {
    EXPECT_EQ(detect_compression(bytes_of(snappy.substr(0, size))), std::nullopt) << size;
  }
}

TEST(Detect, EncryptedMessagesForAnyKindOfKey) {
  EXPECT_TRUE(is_openpgp_encrypted(bytes_of("\x85\x01\x8c\x03"sv))) << "RSA, two-byte length";
  EXPECT_TRUE(is_openpgp_encrypted(bytes_of("\x84\x5e\x03"sv))) << "ECC, one-byte length";
  EXPECT_TRUE(is_openpgp_encrypted(bytes_of("\x8c\x0d\x04"sv))) << "passphrase";
  EXPECT_TRUE(is_openpgp_encrypted(bytes_of("\xc1\x5e\x03"sv))) << "new packet format";
  EXPECT_TRUE(is_openpgp_encrypted(bytes_of("\xc1\xc0\x20\x03"sv))) << "new packet format, two-byte length";
}

TEST(Detect, OtherOpenPgpPacketsAreNotEncryptedMessages) {
  EXPECT_FALSE(is_openpgp_encrypted(bytes_of("\x99\x01\x0d\x04"sv))) << "a public key";
  EXPECT_FALSE(is_openpgp_encrypted(bytes_of("\x85\x01\x8c\x77"sv))) << "no version of that packet";
  EXPECT_FALSE(is_openpgp_encrypted(bytes_of("\x85\x01"sv))) << "cut short";
}

}  // namespace
}  // namespace barman::codec
