#include "engine/server/open_bucket.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "store/s3/bucket.h"

namespace barman::engine {

namespace {

constexpr std::uint64_t kSmallestPart = 5ULL * 1024 * 1024;
constexpr std::uint64_t kPartUnit = 64ULL * 1024;
constexpr std::uint64_t kLargestObject = 5ULL << 40U;

std::uint64_t size_option(const config::Values& values, std::string_view option) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(values.optional_number(option).value_or(0), 0));
}

store::S3Choices choices_of(const config::Values& values) {
  store::S3Choices choices{.profile = values.text("aws_profile"), .region = values.text("aws_region")};
  if (const auto seconds = values.optional_number("aws_read_timeout"); seconds && *seconds > 0) {
    choices.read_timeout = std::chrono::seconds(*seconds);
  }
  return choices;
}

// Never says what is in the key.
store::S3Form form_of(const config::Values& values) {
  store::S3Form form{.encryption = values.text("aws_encryption"),
                     .kms_key = values.text("aws_sse_kms_key_id"),
                     .part_size = upload_part_size(size_option(values, "cloud_upload_max_archive_size"),
                                                   size_option(values, "cloud_upload_min_chunk_size")),
                     .workers = upload_workers(values)};
  if (!form.kms_key.empty() && form.encryption != "aws:kms") {
    throw Error(ErrorKind::kUsage, "aws_sse_kms_key_id needs aws_encryption = aws:kms");
  }
  if (const std::string key = values.text("aws_sse_customer_key"); !key.empty()) {
    if (!form.encryption.empty() || !form.kms_key.empty()) {
      throw Error(ErrorKind::kUsage,
                  "aws_sse_customer_key cannot be used together with aws_encryption or aws_sse_kms_key_id");
    }
    form.customer_key = store::read_customer_key(key);
  }
  return form;
}

}  // namespace

std::size_t upload_part_size(std::uint64_t largest_archive, std::uint64_t smallest) {
  const std::uint64_t archive = std::min(largest_archive, kLargestObject);
  const std::uint64_t part =
      archive / store::equal_parts(store::kMostParts) / kPartUnit * kPartUnit + kPartUnit;
  return static_cast<std::size_t>(std::max({part, kSmallestPart, smallest}));
}

unsigned upload_workers(const config::Values& values) {
  constexpr std::uint64_t kMost = 64;
  return static_cast<unsigned>(std::clamp<std::uint64_t>(size_option(values, "parallel_jobs"), 1, kMost));
}

std::shared_ptr<store::Bucket> open_bucket(const config::Server& server, const std::string& url,
                                           const BucketSurroundings& around) {
  if (store::provider_of(url) != store::Provider::kS3) {
    throw Error(
        ErrorKind::kFailed,
        fmt::format("this build speaks to S3 only, not to the provider of {}; use an s3:// URL", url));
  }
  const auto opened = std::make_shared<store::S3Bucket>(
      url, server.name, choices_of(server.values), form_of(server.values),
      store::BucketParts{.runner = around.runner, .clock = around.clock, .stop = around.stop});
  return {opened, &opened->store()};
}

}  // namespace barman::engine
