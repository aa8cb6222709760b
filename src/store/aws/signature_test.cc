#include "store/aws/signature.h"

#include <gtest/gtest.h>

#include "store/aws/digest.h"

namespace barman::store {
namespace {

// The examples of the S3 API reference.
constexpr std::string_view kEmptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Credentials documented() {
  return {.access_key = "AKIAIOSFODNN7EXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
}

Time may_2013() { return std::chrono::sys_days(std::chrono::year(2013) / 5 / 24); }

std::string signature_of(HttpRequest request, std::string_view payload) {
  sign(request, documented(), {.region = "us-east-1", .service = "s3"}, may_2013(), payload);
  const std::string& header = request.headers.back().second;
  return header.substr(header.find("Signature=") + 10);
}

TEST(Signature, OfAGetWithARange) {
  EXPECT_EQ(signature_of({.method = "GET",
                          .url = "https://examplebucket.s3.amazonaws.com/test.txt",
                          .headers = {{"range", "bytes=0-9"}}},
                         kEmptyDigest),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signature, OfAPut) {
  EXPECT_EQ(signature_of({.method = "PUT",
                          .url = "https://examplebucket.s3.amazonaws.com/test%24file.text",
                          .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
                         hex_text(sha256(stream::bytes_of("Welcome to Amazon S3.")))),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Signature, OfAParameterWithoutValue) {
  EXPECT_EQ(signature_of({.method = "GET", .url = "https://examplebucket.s3.amazonaws.com/?lifecycle"},
                         kEmptyDigest),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(Signature, OfAListing) {
  EXPECT_EQ(
      signature_of({.method = "GET", .url = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"},
                   kEmptyDigest),
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signature, SignsTheTokenOfTemporaryCredentials) {
  Credentials credentials = documented();
  credentials.session_token = "token";
  HttpRequest request{.method = "GET", .url = "https://host/"};
  sign(request, credentials, {.region = "r", .service = "s3"}, may_2013(), kUnsignedPayload);
  EXPECT_NE(request.headers.back().second.find("x-amz-date;x-amz-security-token,"), std::string::npos);
}

TEST(Digest, Base64IsReadStrictly) {
  EXPECT_EQ(base64_text(stream::bytes_of("any")), "YW55");
  EXPECT_EQ(parse_base64("YW55"), "any");
  EXPECT_EQ(parse_base64("YQ=="), "a");
  for (const char* bad : {"", "Y", "YQ=", "Y===", "YW 5", "=YQ=", "YQ==YQ=="})
    EXPECT_FALSE(parse_base64(bad)) << bad;
  EXPECT_EQ(md5_base64({}), "1B2M2Y8AsgTpgAmY7PhCfg==");
}

}  // namespace
}  // namespace barman::store
