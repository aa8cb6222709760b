// All that it takes to work with one bucket, put together.
#pragma once

#include <stop_token>
#include <string>

#include "store/aws/credentials.h"
#include "store/http/curl_transport.h"
#include "store/s3/client.h"
#include "store/s3/place.h"
#include "store/s3/s3_store.h"

namespace barman::store {

struct BucketParts {
  Environment environment = process_environment;
  os::ProcessRunner& runner;
  Clock& clock;
  std::stop_token stop{};
};

class S3Bucket {
 public:
  // `url` is "s3://bucket/path"; `below` is added to the path. Makes no request. Throws kUsage.
  S3Bucket(const std::string& url, const std::string& below, const S3Choices& choices, const S3Form& form,
           const BucketParts& parts);

  [[nodiscard]] S3Store& store() { return store_; }
  // A key as the bucket has it.
  [[nodiscard]] std::string full_key(const std::string& key) const { return root_ + "/" + key; }
  [[nodiscard]] const std::string& name() const { return url_.bucket; }

 private:
  const BucketUrl url_;
  const std::string root_;
  const Profiles profiles_;
  const S3Settings settings_;
  CurlTransport transport_;
  CredentialSource credentials_;
  S3Client client_;
  S3Store store_;
};

}  // namespace barman::store
