#include "pgformat/lsn.h"

#include <gtest/gtest.h>

namespace barman::pgformat {
namespace {

TEST(Lsn, IsWrittenWithoutLeadingZeros) {
  EXPECT_EQ(format_lsn(Lsn{0x3000028}), "0/3000028");
  EXPECT_EQ(format_lsn(Lsn{0}), "0/0");
  EXPECT_EQ(format_lsn(Lsn{0xFFFFFFFFFFFFFFFF}), "FFFFFFFF/FFFFFFFF");
  EXPECT_EQ(format_lsn(Lsn{0x1600000000}), "16/0");
}

TEST(Lsn, IsReadInEitherCaseAndWithLeadingZeros) {
  EXPECT_EQ(parse_lsn("0/3000028"), Lsn{0x3000028});
  EXPECT_EQ(parse_lsn("16/b374d848"), Lsn{0x16B374D848});
  EXPECT_EQ(parse_lsn("00000016/0000000A"), Lsn{0x160000000A});
}

TEST(Lsn, AnyOtherTextIsNone) {
  for (const char* text : {"", "/", "0", "0/", "/0", "0/0/0", "0/123456789", "123456789/0", "0/g", " 0/0",
                           "0/0 ", "-1/0", "0/+1", "0x0/0", "0/3000028\n"}) {
    EXPECT_FALSE(parse_lsn(text)) << text;
  }
}

TEST(Lsn, RoundTrips) {
  for (int bit = 0; bit < 64; ++bit) {
    const Lsn lsn{std::uint64_t{1} << bit};
    EXPECT_EQ(parse_lsn(format_lsn(lsn)), lsn);
  }
}

}  // namespace
}  // namespace barman::pgformat
