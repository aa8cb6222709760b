#include "pgformat/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"

namespace barman::pgformat {
namespace {

constexpr std::string_view kVersion1 = R"({ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
],
"Manifest-Checksum": "3ef7e2e2841f9ebdc5727093812154c4fb52730ec4797f1495815f62c08d6ef2"}
)";

constexpr std::string_view kVersion2 = R"({ "PostgreSQL-Backup-Manifest-Version": 2,
"System-Identifier": 7711322697705067425,
"Files": [
{ "Path": "backup_label", "Size": 225, "Last-Modified": "2026-11-23 11:19:26 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "9ce48ce1" },
{ "Encoded-Path": "626173652fff", "Size": 0, "Last-Modified": "2026-11-23 11:10:27 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "00000000" },
{ "Path": "a \"b\" \u00e9\ud83d\ude00", "Size": 18446744073709551615, "Last-Modified": "2026-11-23 11:10:27 GMT" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }
],
"Manifest-Checksum": "218bd3af9d25ab61a92fd821956df0580ea4de21aea18e39ea5ce8e1e1da1e49"}
)";

struct Outcome {
  std::vector<ManifestFile> files;
  ManifestSummary summary;
};

Outcome read(std::string_view text, std::size_t chunk = 1'000'000) {
  Outcome outcome;
  ManifestReader reader([&](const ManifestFile& file) { outcome.files.push_back(file); });
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) reader.write(text.substr(0, chunk));
  outcome.summary = reader.finish();
  return outcome;
}

std::string failure_of(std::string_view text) {
  try {
    (void)read(text);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kCorrupt);
    return e.what();
  }
  return "no failure";
}

// A manifest around these fields of one file, its own checksum right.
std::string with_file(const std::string& fields) {
  const std::string body = "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n{ " + fields +
                           " }\n],\n\"WAL-Ranges\": [\n],\n";
  Checksum checksum(ChecksumKind::kSha256);
  checksum.update(reinterpret_cast<const std::byte*>(body.data()), body.size());
  return body + "\"Manifest-Checksum\": \"" + checksum.hex() + "\"}\n";
}

void expect_version_2(const Outcome& outcome) {
  EXPECT_EQ(outcome.summary.version, 2);
  EXPECT_EQ(outcome.summary.system_identifier, 7711322697705067425U);
  ASSERT_EQ(outcome.files.size(), 3U);
  EXPECT_EQ(outcome.summary.files, 3U);
  EXPECT_EQ(outcome.files[0].path, "backup_label");
  EXPECT_EQ(outcome.files[0].size, 225U);
  EXPECT_EQ(outcome.files[0].last_modified, "2026-11-23 11:19:26 GMT");
  EXPECT_EQ(outcome.files[0].kind, ChecksumKind::kCrc32c);
  EXPECT_EQ(outcome.files[0].checksum, "9ce48ce1");
  EXPECT_EQ(outcome.files[1].path, "base/\xff");
  EXPECT_EQ(outcome.files[2].path, "a \"b\" \u00e9\U0001F600");
  EXPECT_EQ(outcome.files[2].size, 18446744073709551615U);
  EXPECT_EQ(outcome.files[2].kind, ChecksumKind::kNone);
  ASSERT_EQ(outcome.summary.wal_ranges.size(), 1U);
  EXPECT_EQ(outcome.summary.wal_ranges[0].timeline, 1U);
  EXPECT_EQ(outcome.summary.wal_ranges[0].start, parse_lsn("0/2000028"));
  EXPECT_EQ(outcome.summary.wal_ranges[0].end, parse_lsn("0/2000120"));
}

TEST(Manifest, Version1IsRead) {
  const Outcome outcome = read(kVersion1);
  EXPECT_EQ(outcome.summary.version, 1);
  EXPECT_FALSE(outcome.summary.system_identifier);
  EXPECT_TRUE(outcome.files.empty());
}

TEST(Manifest, Version2IsRead) { expect_version_2(read(kVersion2)); }

TEST(Manifest, ArrivingInPiecesOfAnySizeMakesNoDifference) {
  for (const std::size_t chunk : {1U, 2U, 3U, 7U, 100U}) expect_version_2(read(kVersion2, chunk));
}

TEST(Manifest, EveryTruncationIsCorrupt) {
  for (std::size_t size = 0; size + 1 < kVersion2.size(); ++size) {
    EXPECT_NE(failure_of(kVersion2.substr(0, size)), "no failure") << size;
  }
  // Only the newline at the very end may be missing.
  EXPECT_EQ(failure_of(kVersion2.substr(0, kVersion2.size() - 1)), "no failure");
}

TEST(Manifest, EveryFlippedByteIsNoticed) {
  for (std::size_t at = 0; at + 1 < kVersion2.size(); ++at) {
    std::string damaged(kVersion2);
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_NE(failure_of(damaged), "no failure") << at;
  }
}

TEST(Manifest, TextAfterTheEndIsCorrupt) {
  EXPECT_NE(failure_of(std::string(kVersion2) + "x"), "no failure");
  EXPECT_NE(failure_of(std::string(kVersion2) + "{"), "no failure");
  EXPECT_NE(failure_of(std::string(kVersion2) + "\n"), "no failure");
}

TEST(Manifest, PathsThatLeaveTheDataDirectoryAreCorrupt) {
  for (const char* path : {"../x", "/etc/passwd", "a/../../b", "a//b", "./a", "a/.", "", "a/", "a\\u0000b"}) {
    const std::string text = with_file("\"Path\": \"" + std::string(path) + "\", \"Size\": 0");
    EXPECT_NE(failure_of(text).find("unsafe path"), std::string::npos) << path << ": " << failure_of(text);
  }
  EXPECT_NE(failure_of(with_file(R"("Encoded-Path": "2e2e2f78", "Size": 0)")).find("unsafe path"),
            std::string::npos);
}

TEST(Manifest, AFileNeedsItsFields) {
  EXPECT_EQ(failure_of(with_file(R"("Path": "a", "Size": 0)")), "no failure");
  for (const char* fields : {
           R"("Size": 0)",
           R"("Path": "a")",
           R"("Path": "a", "Encoded-Path": "61", "Size": 0)",
           R"("Encoded-Path": "6", "Size": 0)",
           R"("Encoded-Path": "zz", "Size": 0)",
           R"("Path": 1, "Size": 0)",
           R"("Path": "a", "Size": -1)",
           R"("Path": "a", "Size": 1.5)",
           R"("Path": "a", "Size": "1")",
           R"("Path": "a", "Size": 18446744073709551616)",
           R"("Path": "a", "Size": true)",
           R"("Path": "a", "Size": 0, "Checksum": "00000000")",
           R"("Path": "a", "Size": 0, "Checksum-Algorithm": "CRC32C")",
           R"("Path": "a", "Size": 0, "Checksum-Algorithm": "CRC32C", "Checksum": "0000000")",
           R"("Path": "a", "Size": 0, "Checksum-Algorithm": "CRC32C", "Checksum": "0000000g")",
           R"("Path": "a", "Size": 0, "Checksum-Algorithm": "SHA256", "Checksum": "00000000")",
           R"("Path": "a", "Size": 0, "Checksum-Algorithm": "MD5", "Checksum": "00")",
           R"("Path": "a", "Size": 0, "Mode": 1)",
           R"("Path": "a", "Size": [0])",
           R"("Path": "a", , "Size": 0)",
           R"("Path": "a" "Size": 0)",
           R"("Path": "\ud800", "Size": 0)",
           R"("Path": "\udc00", "Size": 0)",
           R"("Path": "\x", "Size": 0)",
           "\"Path\": \"a\nb\", \"Size\": 0",
       }) {
    EXPECT_NE(failure_of(with_file(fields)), "no failure") << fields;
  }
}

TEST(Manifest, GarbageIsCorrupt) {
  for (const char* text :
       {"", " ", "\n", "x", "{}", "[]", "null", "\"x\"", "{ \"Files\": [] }",
        "{ \"PostgreSQL-Backup-Manifest-Version\": 3 }", "{ \"PostgreSQL-Backup-Manifest-Version\": 0 }",
        "{ \"PostgreSQL-Backup-Manifest-Version\": 1 }", "\x1f\x8b\x08"}) {
    EXPECT_NE(failure_of(text), "no failure") << text;
  }
  EXPECT_NE(failure_of(std::string(100'000'000, '[')), "no failure");
}

TEST(Manifest, ATokenWithoutEndIsRefusedInBoundedMemory) {
  ManifestReader reader([](const ManifestFile&) {});
  reader.write("{ \"");
  const std::string much(16 * 1024, 'a');
  EXPECT_THROW(for (int i = 0; i < 10'000; ++i) reader.write(much), Error);
}

TEST(Manifest, WhatTheVisitorThrowsComesOut) {
  ManifestReader reader([](const ManifestFile& file) { throw Error(ErrorKind::kFailed, file.path); });
  EXPECT_THROW(reader.write(kVersion2), Error);
}

std::string checksum_of(ChecksumKind kind, std::string_view text, std::size_t chunk = 1'000'000) {
  Checksum checksum(kind);
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
    const std::string_view part = text.substr(0, chunk);
    checksum.update(reinterpret_cast<const std::byte*>(part.data()), part.size());
  }
  return checksum.hex();
}

// The check values of RFC 3720 and FIPS 180-4; the CRC's four bytes come least significant first.
TEST(Checksum, OfEveryKind) {
  EXPECT_EQ(checksum_of(ChecksumKind::kNone, "123456789"), "");
  EXPECT_EQ(checksum_of(ChecksumKind::kCrc32c, "123456789"), "839206e3");
  EXPECT_EQ(checksum_of(ChecksumKind::kCrc32c, ""), "00000000");
  EXPECT_EQ(checksum_of(ChecksumKind::kCrc32c, std::string(32, '\0')), "aa36918a");
  EXPECT_EQ(checksum_of(ChecksumKind::kSha224, "abc"),
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(checksum_of(ChecksumKind::kSha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      checksum_of(ChecksumKind::kSha384, "abc"),
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(checksum_of(ChecksumKind::kSha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
            "454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Checksum, PiecesMakeNoDifference) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += static_cast<char>(i * 7 ^ i >> 8);
  const std::string whole = checksum_of(ChecksumKind::kCrc32c, text);
  for (const std::size_t chunk : {1U, 3U, 8U, 6143U, 6145U, 19'999U}) {
    EXPECT_EQ(checksum_of(ChecksumKind::kCrc32c, text, chunk), whole) << chunk;
  }
}

TEST(SafeRelativePath, StaysBelowItsRoot) {
  for (const char* path : {"a", "a/b", "...", "..a", "a..", ".hidden/x", "a b\n"})
    EXPECT_TRUE(is_safe_relative_path(path)) << path;
  for (const char* path : {"", ".", "..", "/", "/a", "a/", "a//b", "../a", "a/..", "a/./b"}) {
    EXPECT_FALSE(is_safe_relative_path(path)) << path;
  }
  EXPECT_FALSE(is_safe_relative_path(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace barman::pgformat
