// barman-cloud-backup-list: the backups of a server in a bucket.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "catalog/file_names.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "report/cloud_backup.h"

namespace barman::cli {
namespace {

int list(const CloudParts& parts, const std::string& format) {
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  engine::CloudCatalogue catalogue(bucket->store());
  const catalog::Listing listing = catalogue->list();
  for (const catalog::DamagedEntry& entry : listing.damaged) {
    parts.warning(fmt::format("cannot read {}: {}", entry.name, entry.reason));
  }
  if (format != "console") return print_result(report::cloud_list_json(listing.backups));
  return print_result(report::cloud_list_text(listing.backups, catalogue->annotations(catalog::kKeep)));
}

}  // namespace

void add_cloud_backup_list(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto format = std::make_shared<std::string>("console");
  add_customer_key_option(app, options);
  app.add_option("--format", *format, "console or json")->type_name("FORMAT");
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  body = [format](CloudParts& parts) { return list(parts, *format); };
}

}  // namespace barman::cli
