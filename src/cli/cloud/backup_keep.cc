// barman-cloud-backup-keep: keeps a backup in a bucket whatever the retention policy says.
#include <fmt/format.h>

#include <memory>

#include "catalog/file_names.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "engine/keep/keep.h"

namespace barman::cli {
namespace {

struct CloudKeepOptions {
  std::string backup;
  std::string target{};
  bool release = false;
  bool status = false;
};

int keep(const CloudParts& parts, const CloudKeepOptions& options) {
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  engine::CloudCatalogue catalogue(bucket->store());
  // An id is taken as it is for all but setting a mark: a backup that is gone may have left one.
  const auto info = find_cloud_backup(parts, bucket->store(), options.backup);
  const catalog::BackupId id = info ? info->id : catalog::BackupId{options.backup};
  if (!info && (!options.target.empty() || !catalog::is_backup_id(options.backup))) {
    parts.error(fmt::format("Backup {} for server {} does not exist", options.backup, parts.options.server));
    return kCloudRefused;
  }
  if (options.release) {
    catalogue->remove_annotation(id, catalog::kKeep);
  } else if (options.status) {
    return print_result(
        fmt::format("Keep: {}\n", catalogue->annotation(id, catalog::kKeep).value_or("nokeep")));
  } else if (const auto problem = engine::keep_problem(*info)) {
    parts.error(*problem);
    return kCloudRefused;
  } else {
    catalogue->annotate(id, catalog::kKeep, options.target);
  }
  return kCloudDone;
}

}  // namespace

void add_cloud_backup_keep(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<CloudKeepOptions>();
  add_customer_key_option(app, options);
  CLI::Option* release = app.add_flag("-r,--release", own->release, "let the retention policy decide again");
  CLI::Option* status = app.add_flag("-s,--status", own->status, "say whether and how the backup is kept");
  CLI::Option* target =
      app.add_option("--target", own->target,
                     "keep it with all WAL since (full), or only what makes it consistent (standalone)");
  target->type_name("TARGET")->check(one_of({"full", "standalone"}));
  require_one_of(app, {release, status, target},
                 "one of the arguments -r/--release -s/--status --target is required");
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  app.add_option("backup_id", own->backup, "an id, a name, first, last, last-failed")->required();
  body = [own](CloudParts& parts) { return keep(parts, *own); };
}

}  // namespace barman::cli
