#include "store/s3/bucket.h"

namespace barman::store {
namespace {

std::string joined(const std::string& path, const std::string& below) {
  return path.empty() || below.empty() ? path + below : path + "/" + below;
}

}  // namespace

S3Bucket::S3Bucket(const std::string& url, const std::string& below, const S3Choices& choices,
                   const S3Form& form, const BucketParts& parts)
    : url_(parse_s3_url(url)),
      root_(joined(url_.path, below)),
      profiles_(read_profiles(parts.environment)),
      settings_(resolve_settings(choices, profiles_, parts.environment)),
      transport_({.ca_bundle = settings_.ca_bundle, .read_timeout = settings_.read_timeout}, parts.stop),
      credentials_({.profile = settings_.profile,
                    .profile_asked_for = settings_.profile_asked_for,
                    .region = settings_.region},
                   profiles_, parts.environment, transport_, parts.runner, parts.clock),
      client_(settings_, url_.bucket, credentials_, transport_, parts.clock, parts.stop),
      store_(client_, root_, form) {}

}  // namespace barman::store
