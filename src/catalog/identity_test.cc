#include "catalog/identity.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::catalog {
namespace {

constexpr std::string_view kText = R"({
    "systemid": "7123456789012345678",
    "version": "15"
}
)";

TEST(Identity, IsWrittenAsThePythonBarmanDoes) {
  EXPECT_EQ(format_identity({.systemid = "7123456789012345678", .version = "15"}), kText);
  EXPECT_EQ(parse_identity(kText), (Identity{.systemid = "7123456789012345678", .version = "15"}));
}

TEST(Identity, AnythingElseIsRefused) {
  for (const std::string_view text :
       {"", "{}", "[]", "null", R"({"systemid": 7, "version": "15"})", R"({"systemid": "7"})",
        "{\"systemid\": \"\xff\", \"version\": \"15\"}"}) {
    EXPECT_THROW(parse_identity(text), Error) << text;
  }
  for (std::size_t length = 0; length + 2 < kText.size(); ++length) {
    EXPECT_THROW(parse_identity(kText.substr(0, length)), Error) << length;
  }
}

}  // namespace
}  // namespace barman::catalog
