// barman-cloud-restore: a backup out of a bucket into a data directory.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "base/error.h"
#include "catalog/timestamp.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/catalogue.h"
#include "engine/cloud/restore_backup.h"
#include "pgformat/lsn.h"

namespace barman::cli {
namespace {

struct CloudRestoreOptions {
  std::string backup;
  std::string destination;
  std::vector<std::string> tablespaces{};
  std::string target_time{};
  std::string target_lsn{};
  std::optional<pgformat::Timeline> target_timeline{};
};

// Says what is wrong with one, and returns nothing.
std::optional<engine::TablespaceRules> rules_of(const CloudParts& parts, const CloudRestoreOptions& options) {
  engine::TablespaceRules rules;
  for (const std::string& text : options.tablespaces) {
    const auto rule = engine::parse_tablespace_rule(text);
    if (!rule) {
      parts.error(
          fmt::format("Invalid tablespace relocation rule '{}'\n"
                      "HINT: The valid syntax for a relocation rule is NAME:LOCATION",
                      text));
      return std::nullopt;
    }
    rules[rule->first] = rule->second;
  }
  return rules;
}

engine::CloudTarget target_of(const CloudRestoreOptions& options) {
  engine::CloudTarget target{.timeline = options.target_timeline};
  if (!options.target_time.empty()) {
    const auto time = catalog::parse_timestamp(options.target_time);
    if (!time)
      throw Error(ErrorKind::kUsage,
                  fmt::format("'{}' is no time; write YYYY-MM-DD HH:MM:SS", options.target_time));
    target.time = time->instant;
  }
  if (!options.target_lsn.empty()) {
    target.lsn = pgformat::parse_lsn(options.target_lsn);
    if (!target.lsn)
      throw Error(ErrorKind::kUsage, fmt::format("'{}' is no LSN; write 0/3000028", options.target_lsn));
  }
  return target;
}

std::optional<catalog::BackupInfo> find_backup(const CloudParts& parts, store::ObjectStore& store,
                                               const CloudRestoreOptions& options) {
  if (options.backup != "auto") return find_cloud_backup(parts, store, options.backup);
  const catalog::Listing listing = engine::CloudCatalogue(store)->list();
  const auto id = engine::newest_before(listing.backups, target_of(options));
  if (!id) return std::nullopt;
  return *std::ranges::find(listing.backups, *id, &catalog::BackupInfo::id);
}

int restore_from_bucket(const CloudParts& parts, const CloudRestoreOptions& options) {
  const auto rules = rules_of(parts, options);
  if (!rules) return kCloudUsage;
  const auto bucket = open_cloud_bucket(parts);
  if (const auto status = missing_bucket(parts, *bucket)) return *status;
  if (parts.options.test) return kCloudDone;
  const auto info = find_backup(parts, bucket->store(), options);
  if (!info) {
    parts.error(
        options.backup == "auto"
            ? fmt::format("Cannot find any backup of server {} that leads to the target",
                          parts.options.server)
            : fmt::format("Backup {} for server {} does not exists", options.backup, parts.options.server));
    return kCloudRefused;
  }
  try {
    const auto series = engine::plan_cloud_restore(bucket->store(), *info, options.destination, *rules);
    constexpr unsigned kMostAtATime = 8;
    engine::restore_cloud_backup(bucket->store(), series,
                                 std::clamp(std::thread::hardware_concurrency(), 2U, kMostAtATime),
                                 parts.stop);
    return kCloudDone;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kRefused) throw;
    parts.error(error.what());
    return kCloudRefused;
  }
}

}  // namespace

void add_cloud_restore(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<CloudRestoreOptions>();
  add_customer_key_option(app, options);
  app.add_option("--tablespace", own->tablespaces, "another place for a tablespace; may be repeated")
      ->type_name("NAME:LOCATION")
      ->allow_extra_args(false);
  app.add_option_function<pgformat::Timeline>(
         "--target-tli", [own](pgformat::Timeline timeline) { own->target_timeline = timeline; },
         "with auto: a backup of this timeline or an earlier one")
      ->type_name("TIMELINE")
      ->check(positive);
  CLI::Option* lsn = app.add_option("--target-lsn", own->target_lsn, "with auto: a backup that ended before");
  CLI::Option* time =
      app.add_option("--target-time", own->target_time, "with auto: a backup that ended before");
  lsn->type_name("LSN");
  time->type_name("TIME");
  exclude_each_other({lsn, time});
  for (const char* name : {"--snapshot-recovery-instance", "--snapshot-recovery-zone,--gcp-zone",
                           "--azure-resource-group", "--aws-region"}) {
    app.add_option(name, "for snapshots; taken and ignored")->type_name("NAME");
  }
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  app.add_option("backup_id", own->backup, "an id, a name, first, last, last-failed, auto")->required();
  app.add_option("recovery_dir", own->destination, "the new data directory, empty or not there")->required();
  body = [own](CloudParts& parts) { return restore_from_bucket(parts, *own); };
}

}  // namespace barman::cli
