#include "store/s3/place.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace barman::store {
namespace {

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(BucketUrl, HasABucketAndAPath) {
  EXPECT_EQ(parse_s3_url("s3://bucket"), (BucketUrl{"bucket", ""}));
  EXPECT_EQ(parse_s3_url("s3://bucket/a/b/"), (BucketUrl{"bucket", "a/b"}));
  EXPECT_EQ(parse_s3_url("s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap-1/p/q"),
            (BucketUrl{"arn:aws:s3:eu-west-1:123456789012:accesspoint/ap-1", "p/q"}));
  EXPECT_EQ(
      parse_s3_url("s3://arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/ap/p").path,
      "p");
  for (const char* bad :
       {"", "s3://", "bucket", "http://bucket/x", "s3://a b", "s3://u@bucket/x", "s3://ü/x"}) {
    EXPECT_THROW((void)parse_s3_url(bad), Error) << bad;
  }
}

TEST(BucketUrl, TellsTheProvider) {
  EXPECT_EQ(provider_of("s3://b/x"), Provider::kS3);
  EXPECT_EQ(provider_of("gs://b/x"), Provider::kGoogle);
  EXPECT_EQ(provider_of("https://console.cloud.google.com/storage/browser/b"), Provider::kGoogle);
  EXPECT_EQ(provider_of("https://me.blob.core.windows.net/container/x"), Provider::kAzure);
  EXPECT_FALSE(provider_of("https://example.com/x"));
  EXPECT_FALSE(provider_of("/var/lib/barman"));
}

TEST(S3Place, IsInTheHostOrInThePath) {
  EXPECT_EQ(place_of({.region = "eu-west-1"}, "bucket").root, "https://bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(place_of({.region = "cn-north-1"}, "bucket").root,
            "https://bucket.s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(place_of({.region = "r"}, "with.dots").root, "https://s3.r.amazonaws.com/with.dots");
  EXPECT_EQ(place_of({.region = "r", .endpoint = "http://host:1"}, "bucket").root, "http://host:1/bucket");
  EXPECT_EQ(
      place_of({.region = "r", .endpoint = "http://host:1", .addressing = Addressing::kVirtual}, "bucket")
          .root,
      "http://bucket.host:1");
  EXPECT_EQ(place_of({.region = "r", .addressing = Addressing::kPath}, "bucket").root,
            "https://s3.r.amazonaws.com/bucket");
  EXPECT_FALSE(place_of({.region = "r", .endpoint = "http://host:1"}, "bucket").is_private);
}

TEST(S3Place, OfAnAccessPoint) {
  const S3Place place = place_of({.region = "r"}, "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap-1");
  EXPECT_EQ(place.root, "https://ap-1-123456789012.s3-accesspoint.eu-west-1.amazonaws.com");
  EXPECT_EQ(place.region, "eu-west-1");
  const S3Place outpost =
      place_of({}, "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/ap");
  EXPECT_EQ(outpost.root, "https://ap-123456789012.op-1.s3-outposts.eu-west-1.amazonaws.com");
  EXPECT_EQ(outpost.service, "s3-outposts");
}

TEST(S3Settings, ChoicesGoBeforeTheEnvironmentAndThatBeforeTheProfile) {
  const Profiles profiles{
      .config = parse_profile_file("[default]\nregion = from-profile\ns3 =\n  addressing_style = path\n"
                                   "endpoint_url = http://profile\n[profile other]\nregion=other\n"),
      .credentials = {}};
  S3Settings settings = resolve_settings({}, profiles, environment_of({}));
  EXPECT_EQ(settings.region, "from-profile");
  EXPECT_EQ(settings.endpoint, "http://profile");
  EXPECT_EQ(settings.addressing, Addressing::kPath);
  settings = resolve_settings(
      {}, profiles, environment_of({{"AWS_PROFILE", "other"}, {"AWS_ENDPOINT_URL", "http://env/"}}));
  EXPECT_EQ(settings.region, "other");
  EXPECT_EQ(settings.endpoint, "http://env");
  EXPECT_FALSE(settings.profile_asked_for);
  settings = resolve_settings({.region = "chosen", .endpoint = "http://chosen"}, profiles,
                              environment_of({{"AWS_REGION", "env"}, {"AWS_ENDPOINT_URL_S3", "http://env"}}));
  EXPECT_EQ(settings.region, "chosen");
  EXPECT_EQ(settings.endpoint, "http://chosen");
  EXPECT_THROW((void)resolve_settings({.endpoint = "ftp://x"}, {}, environment_of({})), Error);
  EXPECT_THROW((void)resolve_settings({.region = "a/../b"}, {}, environment_of({})), Error);
  EXPECT_EQ(resolve_settings({}, {}, environment_of({})).region, "us-east-1");
}

}  // namespace
}  // namespace barman::store
