#include "pgformat/wal_page.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "pgformat/control_file.h"
#include "pgformat/hex.h"

namespace barman::pgformat {
namespace {

std::string bytes(std::string_view hex) { return parse_hex(hex).value(); }
std::span<const std::byte> span_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// The fronts of segments that servers of these versions wrote.
constexpr std::string_view kFrom15 =
    "10d102000100000000000001000000000000000000000000"
    "8fb3757e221f046b0000000100200000";
constexpr std::string_view kFrom17 =
    "16d102000100000000000001000000000000000000000000"
    "a1131e21231f046b0000000100200000";
constexpr std::string_view kFrom18 =
    "18d102000100000000000001000000000000000000000000"
    "b393ebc2231f046b0000000100200000";

TEST(WalPage, HeadersOfRealSegmentsAreRead) {
  const std::string front = bytes(kFrom15);
  const auto header = parse_wal_header(span_of(front));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->magic, 0xD110);
  EXPECT_EQ(header->timeline, 1U);
  EXPECT_EQ(header->page_address, Lsn{0x1000000});
  EXPECT_EQ(header->system_identifier, 0x6B041F227E75B38FU);
  EXPECT_EQ(header->segment_size, 16U * 1024 * 1024);
  EXPECT_EQ(header->block_size, 8192U);
  EXPECT_EQ(parse_wal_header(span_of(bytes(kFrom17)))->magic, 0xD116);
  EXPECT_EQ(parse_wal_header(span_of(bytes(kFrom18)))->magic, 0xD118);
}

TEST(WalPage, LessThanAHeaderIsNone) {
  const std::string front = bytes(kFrom15);
  for (std::size_t size = 0; size < kWalHeaderSize; ++size) {
    EXPECT_FALSE(parse_wal_header(span_of(front).first(size))) << size;
  }
}

TEST(WalPage, AnythingButALongHeaderOfAKnownVersionIsNone) {
  const auto with = [](std::size_t at, char value) {
    std::string front = bytes(kFrom15);
    front[at] = value;
    return parse_wal_header(span_of(front)).has_value();
  };
  EXPECT_TRUE(with(0, 0x06));    // 13
  EXPECT_FALSE(with(0, 0x01));   // 12
  EXPECT_FALSE(with(1, 0x00));   // no magic
  EXPECT_FALSE(with(2, 0x00));   // a short header
  EXPECT_FALSE(with(32, 0x01));  // segment size no power of two
  EXPECT_FALSE(with(35, 0x00));  // segment size 0
  EXPECT_FALSE(with(35, 'A'));   // too large
  EXPECT_FALSE(with(36, 0x01));  // block size no power of two
  EXPECT_FALSE(parse_wal_header(span_of(std::string(8192, '\0'))));
}

TEST(ControlFile, TheLeadingFieldsOfRealOnesAreRead) {
  const std::string from15 = bytes("8fb3757e221f046b1405000025770d0c");
  const ControlFile file = parse_control_file(span_of(from15));
  EXPECT_EQ(file.system_identifier, 0x6B041F227E75B38FU);
  EXPECT_EQ(file.control_version, 1300U);
  EXPECT_EQ(file.catalog_version, 202209061U);
  EXPECT_EQ(parse_control_file(span_of(bytes("b393ebc2231f046b080700003300120c"))).control_version, 1800U);
}

TEST(ControlFile, OthersAreCorrupt) {
  const std::string from15 = bytes("8fb3757e221f046b1405000025770d0c");
  for (std::size_t size = 0; size < from15.size(); ++size) {
    EXPECT_THROW((void)parse_control_file(span_of(from15).first(size)), Error) << size;
  }
  EXPECT_THROW((void)parse_control_file(span_of(bytes("6b041f227e75b38f000005140c0d7725"))),
               Error);  // big-endian
  EXPECT_THROW((void)parse_control_file(span_of(std::string(512, '\0'))), Error);
}

}  // namespace
}  // namespace barman::pgformat
