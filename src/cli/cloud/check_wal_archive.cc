// barman-cloud-check-wal-archive: whether a new server may archive into a bucket.
#include <fmt/format.h>

#include <memory>

#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/archived_wal/free_archive.h"

namespace barman::cli {
namespace {

int check(const CloudParts& parts, std::optional<pgformat::Timeline> timeline) {
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket, true)) return *status;
  if (parts.options.test) return kCloudDone;
  if (!bucket->store().exists()) bucket->store().create_bucket();
  if (engine::is_free_bucket(bucket->store(), timeline)) return kCloudDone;
  parts.error(
      fmt::format("WAL archive check failed for server {}: Expected empty archive", parts.options.server));
  return kCloudRefused;
}

}  // namespace

void add_cloud_check_wal_archive(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto timeline = std::make_shared<std::optional<pgformat::Timeline>>();
  app.add_option_function<pgformat::Timeline>(
         "--timeline", [timeline](pgformat::Timeline number) { *timeline = number; },
         "only WAL of this timeline and later ones counts")
      ->type_name("TIMELINE")
      ->check(positive);
  app.add_option("destination_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  body = [timeline](CloudParts& parts) { return check(parts, *timeline); };
}

}  // namespace barman::cli
