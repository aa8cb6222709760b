// barman-cloud-backup-delete: removes backups from a bucket, one or all that a policy calls obsolete.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "catalog/file_names.h"
#include "catalog/python_literal.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "engine/cloud/delete_backup.h"
#include "engine/server/cloud_keys.h"

namespace barman::cli {
namespace {

struct CloudDeleteOptions {
  std::string backup{};
  std::string policy{};
  std::uint32_t minimum = 0;
  std::size_t batch = 1000;
  bool dry_run = false;
  bool check_lock = false;
};

int say_keys(const store::S3Bucket& bucket, const std::vector<std::string>& keys) {
  if (keys.empty()) return kCloudDone;
  catalog::Literal::List names;
  for (const std::string& key : keys) names.push_back({bucket.full_key(key)});
  return print_result(fmt::format("Skipping deletion of objects {} due to --dry-run option\n",
                                  catalog::format_literal(catalog::Literal{std::move(names)})));
}

int carry_out(const CloudParts& parts, const CloudDeleteOptions& options, store::S3Bucket& bucket,
              const engine::CloudDeletion& deletion) {
  if (options.dry_run) return std::max(say_keys(bucket, deletion.objects), say_keys(bucket, deletion.wal));
  engine::BucketRemover remover(bucket.store(), {.batch = options.batch, .check_locks = options.check_lock},
                                parts.clock);
  for (const std::string& trouble : engine::execute(deletion, remover)) {
    parts.warning("WAL could not be removed: " + trouble);
  }
  try {
    remover.withdraw_uploads(deletion.id);
  } catch (const Error& error) {
    parts.warning(error.what());
  }
  return kCloudDone;
}

const catalog::BackupInfo& info_of(const engine::CloudState& state, const catalog::BackupId& id) {
  return *std::ranges::find(state.backups, id, &catalog::BackupInfo::id);
}

int delete_one(const CloudParts& parts, const CloudDeleteOptions& options, const engine::CloudState& state,
               store::S3Bucket& bucket) {
  const auto id = engine::resolve_cloud_backup(state.backups, options.backup, parts.options.server);
  if (!id) {
    parts.warning(fmt::format("Backup {} does not exist", options.backup));
    return kCloudDone;
  }
  return carry_out(parts, options, bucket,
                   engine::plan_cloud_deletion(bucket.store(), state, parts.options.server,
                                               info_of(state, *id), options.minimum));
}

int delete_obsolete(const CloudParts& parts, const CloudDeleteOptions& options, engine::CloudState state,
                    const catalog::RetentionPolicy& policy, store::S3Bucket& bucket) {
  if (policy.unit == catalog::RetentionPolicy::Unit::kBackups && policy.count < options.minimum) {
    parts.warning(
        fmt::format("Retention policy redundancy ({}) is lower than the required minimum redundancy ({}). "
                    "Enforce {}.",
                    policy.count, options.minimum, options.minimum));
  }
  for (const catalog::BackupId& id :
       engine::obsolete_cloud_backups(state, policy, options.minimum, parts.clock.now())) {
    const auto deletion = engine::plan_cloud_retention(bucket.store(), state, info_of(state, id));
    if (const int status = carry_out(parts, options, bucket, deletion); status != kCloudDone) return status;
    std::erase_if(state.backups, [&](const catalog::BackupInfo& info) { return info.id == id; });
  }
  return kCloudDone;
}

int delete_backups(const CloudParts& parts, const CloudDeleteOptions& options) {
  std::optional<catalog::RetentionPolicy> policy;
  if (!options.policy.empty()) {
    policy = catalog::parse_retention_policy(options.policy);
    if (!policy) {
      parts.error(
          fmt::format("Could not create retention policy {0}: Cannot parse option retention_policy: {0}",
                      options.policy));
      return kCloudUsage;
    }
  }
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  engine::CloudCatalogue catalogue(bucket->store());
  catalog::Listing listing = catalogue->list();
  for (const catalog::DamagedEntry& entry : listing.damaged) {
    parts.error(fmt::format("cannot read {}: {}", entry.name, entry.reason));
  }
  if (!listing.damaged.empty()) return kCloudRefused;  // what it needs is not known
  engine::CloudState state{.backups = std::move(listing.backups)};
  state.kept = catalogue->annotations(catalog::kKeep);
  try {
    if (policy) return delete_obsolete(parts, options, std::move(state), *policy, *bucket);
    return delete_one(parts, options, state, *bucket);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kRefused) throw;
    parts.error(error.what());
    return kCloudRefused;
  }
}

}  // namespace

void add_cloud_backup_delete(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<CloudDeleteOptions>();
  add_customer_key_option(app, options);
  CLI::Option* backup =
      app.add_option("-b,--backup-id", own->backup, "an id, a name, first, last, last-failed");
  CLI::Option* policy =
      app.add_option("-r,--retention-policy", own->policy,
                     "all that are obsolete: \"REDUNDANCY 3\", \"RECOVERY WINDOW OF 4 WEEKS\"");
  backup->type_name("BACKUP");
  policy->type_name("POLICY");
  require_one_of(app, {backup, policy},
                 "one of the arguments -b/--backup-id -r/--retention-policy is required");
  app.add_option("-m,--minimum-redundancy", own->minimum, "so many backups stay in any case")
      ->type_name("COUNT")
      ->check(non_negative);
  app.add_flag("--dry-run", own->dry_run, "only say what would be removed");
  app.add_option("--batch-size", own->batch, "objects to remove in a request")->type_name("COUNT");
  app.add_flag("--check-object-lock", own->check_lock,
               "remove nothing if one of the objects is locked in the bucket");
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  body = [own](CloudParts& parts) { return delete_backups(parts, *own); };
}

}  // namespace barman::cli
