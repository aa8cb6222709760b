// barman-cloud-wal-restore: one WAL file out of a bucket, and with --parallel those that follow into a spool.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/cloud/programs.h"
#include "cli/grammar.h"
#include "engine/cloud/restore_wal.h"

namespace barman::cli {
namespace {

constexpr int kMostAtOnce = 64;

struct WalRestoreOptions {
  std::string name;
  std::string destination;
  std::string spool = "/var/tmp/walrestore";
  int parallel = 0;
  bool no_partial = false;
};

// Others than the file itself need a folder to go to.
bool can_make(const CloudParts& parts, const engine::WalSpool& spool) {
  try {
    spool.make();
    return true;
  } catch (const Error& error) {
    parts.error(error.what());
    return false;
  }
}

int fetch(const CloudParts& parts, const WalRestoreOptions& options, store::S3Bucket& bucket) {
  const engine::WalSpool spool(options.spool, parts.options.url, parts.options.server);
  if (spool.take(options.name, options.destination)) return kCloudDone;
  const auto count = static_cast<std::size_t>(std::clamp(options.parallel, 1, kMostAtOnce));
  const auto wal = engine::choose_cloud_wal(bucket.store(), options.name, count, !options.no_partial);
  if (wal.empty()) {
    parts.error(fmt::format("WAL file {} for server {} does not exist", options.name, parts.options.server));
    return kCloudRefused;
  }
  for (const engine::CloudWal& one : wal) {
    parts.info(fmt::format("Found WAL {} for server {} as {}", options.name, parts.options.server, one.key));
  }
  if (wal.size() > 1 && !can_make(parts, spool)) return kCloudUnreachable;
  engine::fetch_with_others(bucket.store(), wal, options.destination, spool, parts.stop);
  return kCloudDone;
}

int restore_wal(const CloudParts& parts, const WalRestoreOptions& options) {
  if (!pgformat::parse_wal_name(options.name)) {
    parts.error(options.name + " is an invalid name for a WAL file");
    return kCloudUsage;
  }
  const auto bucket = open_cloud_bucket(parts);
  if (parts.options.test) return missing_bucket(parts, *bucket).value_or(kCloudDone);
  try {
    return fetch(parts, options, *bucket);
  } catch (const store::Unreachable& error) {
    parts.error(fmt::format("Barman cloud WAL restore exception: {}", error.what()));
    return kCloudUnreachable;
  }
}

}  // namespace

void add_cloud_wal_restore(CLI::App& app, CloudOptions& options, CloudBody& body) {
  auto own = std::make_shared<WalRestoreOptions>();
  add_customer_key_option(app, options);
  app.add_flag("--no-partial", own->no_partial, "no partial file, if there is no whole one");
  app.add_option("-p,--parallel", own->parallel,
                 "fetch so many files at a time, the following ones for later")
      ->type_name("FILES")
      ->check(non_negative);
  app.add_option("--spool-dir", own->spool, "where they wait; /var/tmp/walrestore if not set")
      ->type_name("DIRECTORY");
  app.add_option("source_url", options.url, "the bucket: s3://BUCKET/PATH")->required();
  app.add_option("server_name", options.server, "the server's name in the bucket")->required();
  app.add_option("wal_name", own->name, "the WAL file: %f of restore_command")->required();
  app.add_option("wal_dest", own->destination, "where it goes: %p of restore_command")->required();
  body = [own](CloudParts& parts) { return restore_wal(parts, *own); };
}

}  // namespace barman::cli
