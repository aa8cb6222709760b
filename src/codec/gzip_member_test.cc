#include "codec/gzip_member.h"

#include <gtest/gtest.h>

#include "codec/gzip.h"
#include "stream/chain.h"
#include "stream/memory.h"

namespace barman::codec {
namespace {

TEST(GzipMember, IsOneMemberHoweverLong) {
  for (const std::size_t size : {0U, 1U, 3000000U}) {
    const std::string text(size, 'x');
    std::string stored;
    std::string back;
    const auto in = stream::chain(stream::through([] { return gzip_member_compressor(6); }),
                                  std::make_unique<stream::AppendTo>(stored));
    in->write(stream::bytes_of(text));
    in->finish();
    EXPECT_EQ(stored.find(std::string_view("\x1f\x8b\x08", 3), 1), std::string::npos);
    const auto out =
        stream::chain(stream::through(gzip_decompressor), std::make_unique<stream::AppendTo>(back));
    out->write(stream::bytes_of(stored));
    out->finish();
    EXPECT_EQ(back, text);
  }
}

}  // namespace
}  // namespace barman::codec
