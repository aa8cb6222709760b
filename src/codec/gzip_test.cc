#include "codec/gzip.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "base/expect_failure.h"
#include "stream/chain.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

using namespace std::string_literals;

// As other programs write them.
const std::string kPlain = std::string(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x2b\xc8\x49\xcc\xcc\xd3\x01\x00\x2d\x7c\x18\xeb\x06\x00\x00"
    "\x00",
    26);
const std::string kNamed = std::string(
    "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03\x78\x2e\x74\x78\x74\x00\xcb\x4b\xcc\x4d\x4d\xd1\x01\x00\x21\x75"
    "\x77\x93\x06\x00\x00\x00",
    32);
const std::string kExtra = std::string(
    "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x41\x42\x02\x00\x7a\x7a\x4b\xad\x28\x29\x4a\xd4\x01\x00"
    "\xb4\x29\x4f\xdd\x06\x00\x00\x00",
    34);
const std::string kAlmostOurs = std::string(
    "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x0c\x00\x42\x6e\x08\x00\x0a\x00\x00\x00\x2e\x00\x00\x00\xcb\xc9"
    "\xcc\x4e\x55\xc8\x2f\x2d\x2a\xd6\x01\x00\x34\x2b\x0e\xad\x0a\x00\x00\x00",
    44);
const std::string kTwoFields = std::string(
    "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x10\x00\x42\x6d\x08\x00\x0a\x00\x00\x00\x2e\x00\x00\x00\x41\x42"
    "\x00\x00\x2b\x29\xcf\x57\x48\xcb\x4c\xcd\x49\x29\xd6\x01\x00\xbe\x90\xee\xd5\x0b\x00\x00\x00",
    49);

std::string gzip_pass(const stream::Stage& stage, std::string_view text, std::size_t part) {
  std::string out;
  const auto path = stream::chain(stage, std::make_unique<stream::AppendTo>(out));
  for (; !text.empty(); text.remove_prefix(std::min(part, text.size())))
    path->write(stream::bytes_of(text.substr(0, part)));
  path->finish();
  return out;
}

std::string zipped(std::string_view text, int level = 6) {
  return gzip_pass(stream::through([level] { return gzip_compressor(level); }), text, 100000);
}

std::string unzipped(std::string_view stored, std::size_t part = 100000) {
  return gzip_pass(stream::through(gzip_decompressor), stored, part);
}

void expect_damaged(std::string_view stored, const char* says) {
  EXPECT_THAT(failure(ErrorKind::kCorrupt, [&] { (void)unzipped(stored); }), testing::HasSubstr(says));
}

TEST(Gzip, ReadsMembersOfAnybodyInAnyOrderWhereverTheyAreParted) {
  const std::string stored = kPlain + kExtra + zipped("ours,") + kNamed + zipped("") + zipped("again,") +
                             kTwoFields + kAlmostOurs + kPlain;
  for (std::size_t part = 1; part < 60; ++part) {
    EXPECT_EQ(unzipped(stored, part), "plain,extra,ours,named,again,two fields,like ours,plain,") << part;
  }
}

TEST(Gzip, AMemberOfAnotherProgramThatIsCutIsDamagedAtEveryLength) {
  for (const std::string& member : {kPlain, kNamed, kExtra, kAlmostOurs, kTwoFields}) {
    for (std::size_t size = 0; size < member.size(); ++size) {
      expect_damaged(member.substr(0, size), "too early");
      if (size > 0) expect_damaged(kPlain + member.substr(0, size), "too early");
    }
  }
}

TEST(Gzip, AHeaderThatLiesIsDamage) {
  const std::string member = zipped("text");
  ASSERT_EQ(member.substr(10, 6), "\x0c\0Bm\x08\0"s);
  const auto with = [&](std::size_t at, char byte) {
    std::string changed = member;
    changed[at] = byte;
    return changed;
  };
  expect_damaged(with(16, 5), "checksum");           // a byte more than there is
  expect_damaged(with(16, 3), "checksum");           // one less
  expect_damaged(with(19, 1), "impossible sizes");   // sixteen million plain bytes
  expect_damaged(with(20, 31), "impossible sizes");  // less than its header and trailer
  expect_damaged(with(23, 1), "impossible sizes");
  expect_damaged(with(20, static_cast<char>(member.size() + 1)), "too early");
  expect_damaged(with(20, static_cast<char>(member.size() + 1)) + "x", "checksum");
}

TEST(Gzip, WhatCannotBeCompressedGrowsLittle) {
  std::string noise(3000000, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (char& byte : noise) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    byte = static_cast<char>(state >> 56U);
  }
  for (const int level : {1, 9}) {
    const std::string stored = zipped(noise, level);
    EXPECT_LT(stored.size(), noise.size() + 3000);
    EXPECT_EQ(unzipped(stored, 1 << 20), noise);
  }
}

TEST(Gzip, AHigherLevelIsSmaller) {
  std::string text;
  for (std::uint32_t i = 0; i < 100000; ++i) text += std::to_string(i * i % 99991) + " row\n";
  EXPECT_LT(zipped(text, 6).size(), zipped(text, 1).size());
  EXPECT_LE(zipped(text, 9).size(), zipped(text, 6).size());
}

}  // namespace
}  // namespace barman::codec
