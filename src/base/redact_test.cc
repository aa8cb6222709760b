#include "base/redact.h"

#include <gtest/gtest.h>

namespace barman {
namespace {

TEST(RedactTest, HidesPasswordsOfConnectionStrings) {
  EXPECT_EQ(redact("host=pg password=secret user=barman"), "host=pg password=*REDACTED* user=barman");
  EXPECT_EQ(redact("password='it\\'s a secret' user=x"), "password=*REDACTED* user=x");
  EXPECT_EQ(redact("password = \"a b\" user=x"), "password = *REDACTED* user=x");
  EXPECT_EQ(redact("PASSWORD=Secret"), "PASSWORD=*REDACTED*");
  EXPECT_EQ(redact("sslpassword=key1 dbname=d"), "sslpassword=*REDACTED* dbname=d");
}

TEST(RedactTest, HidesPassphrases) {
  EXPECT_EQ(redact("encryption_passphrase=abc"), "encryption_passphrase=*REDACTED*");
  EXPECT_EQ(redact(R"({"passphrase": "abc", "n": 1})"), R"({"passphrase": *REDACTED*, "n": 1})");
}

TEST(RedactTest, HidesPasswordsOfBothKindsOfUri) {
  EXPECT_EQ(redact("postgresql://barman:se:cret@pg:5432/db"), "postgresql://barman:*REDACTED*@pg:5432/db");
  EXPECT_EQ(redact("see postgres://u:p@h/db now"), "see postgres://u:*REDACTED*@h/db now");
  EXPECT_EQ(redact("postgres://u:p@ss/w@h/db"), "postgres://u:*REDACTED*@h/db");
  EXPECT_EQ(redact("postgresql://u@h/db?password=p&x=1"), "postgresql://u@h/db?password=*REDACTED*&x=1");
}

TEST(RedactTest, HidesEveryOneOfThem) {
  EXPECT_EQ(redact("password=a password=b"), "password=*REDACTED* password=*REDACTED*");
}

TEST(RedactTest, LeavesEverythingElseAlone) {
  for (const char* text : {"", "password", "password=", "password authentication failed for user \"barman\"",
                           "postgresql://host:5432/db", "postgres://u:@h", "passfile=/x", "a: b"}) {
    EXPECT_EQ(redact(text), text);
  }
}

TEST(RedactTest, HidesToTheEndWhatIsNotClosed) {
  EXPECT_EQ(redact("password='never closed user=x"), "password=*REDACTED*");
  EXPECT_EQ(redact("password='\\"), "password=*REDACTED*");
}

}  // namespace
}  // namespace barman
