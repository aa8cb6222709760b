// Where a bucket is: the URL that people write, and the settings that say which server to ask and how.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "store/aws/profiles.h"

namespace barman::store {

enum class Provider { kS3, kAzure, kGoogle };
// Nothing if the URL is of none of them.
std::optional<Provider> provider_of(std::string_view url);

struct BucketUrl {
  std::string bucket;  // a name or the ARN of an access point
  std::string path;    // without "/" at either end; may be empty

  bool operator==(const BucketUrl&) const = default;
};
// "s3://bucket/path". Throws kUsage.
BucketUrl parse_s3_url(std::string_view url);

enum class Addressing { kAuto, kVirtual, kPath };

// What the command line or our configuration say; what they do not say is looked for elsewhere.
struct S3Choices {
  std::string profile{};
  std::string region{};
  std::string endpoint{};
  std::optional<Addressing> addressing{};
  std::optional<std::chrono::seconds> read_timeout{};
};

struct S3Settings {
  std::string profile = "default";
  bool profile_asked_for = false;
  std::string region;
  std::string endpoint{};  // empty: Amazon's own for the region
  Addressing addressing = Addressing::kAuto;
  std::string ca_bundle{};
  int attempts = 5;
  std::chrono::seconds read_timeout{60};
};

// Choices first, then the environment, then the profile, as Amazon's own programs do. Throws kUsage for an
// endpoint that is no URL.
S3Settings resolve_settings(const S3Choices& choices, const Profiles& profiles,
                            const Environment& environment);

// What requests to a bucket begin with.
struct S3Place {
  std::string root;     // "https://bucket.s3.eu-west-1.amazonaws.com" or "http://host:1/bucket"
  std::string service;  // that requests are signed for
  std::string region;
  bool is_private = false;  // the connection is encrypted
};
// Throws kUsage for a bucket that cannot be one.
S3Place place_of(const S3Settings& settings, std::string_view bucket);

}  // namespace barman::store
