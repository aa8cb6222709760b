// barman-cloud-backup-show: what is known about one backup in a bucket.
#include <fmt/format.h>

#include <memory>

#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "report/cloud_backup.h"

namespace barman::cli {
namespace {

struct ShowOptions {
  std::string backup;
  std::string format = "console";
};

int show(const CloudParts& parts, const ShowOptions& options) {
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  const auto info = find_cloud_backup(parts, bucket->store(), options.backup);
  if (!info) {
    parts.error(fmt::format("Backup {} for server {} does not exist", options.backup, parts.options.server));
    return kCloudRefused;
  }
  return print_result(options.format == "console" ? report::cloud_backup_text(*info)
                                                  : report::cloud_backup_json(*info));
}

}  // namespace

void add_cloud_backup_show(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<ShowOptions>();
  add_customer_key_option(app, options);
  app.add_option("--format", own->format, "console or json")->type_name("FORMAT");
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  app.add_option("backup_id", own->backup, "an id, a name, first, last, last-failed")->required();
  body = [own](CloudParts& parts) { return show(parts, *own); };
}

}  // namespace barman::cli
