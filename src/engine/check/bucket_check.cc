#include "engine/check/bucket_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"

namespace barman::engine {
namespace {

// Throws what is wrong. Returns why the object is still there, if it is.
std::string try_to_store(store::Bucket& bucket, std::string_view folder) {
  const std::string key = trial_key(folder, std::to_string(::getpid()));
  const std::string text = "made by barman check; may be removed\n";
  store::write_text(bucket, key, text);
  const auto found = store::read_text(bucket, key);
  std::string remains;
  try {
    bucket.remove(key);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kFailed) throw;
    remains = error.what();
  }
  if (found != text) {
    throw Error(ErrorKind::kFailed, key + " was stored, but is not what is read; find out who changes it");
  }
  return remains;
}

void try_place(BucketHome& home, std::string_view folder, bool is_active, BucketAnswers::Trial& trial) {
  store::Bucket& bucket = home.bucket();
  if (!bucket.exists()) {
    trial.problem = fmt::format("there is no bucket for {}; create it or correct the URL", home.url());
  } else if (!is_active) {
    (void)bucket.children(folder);
  } else if (const std::string remains = try_to_store(bucket, folder); !remains.empty()) {
    trial.remark = "what is stored cannot be removed: " + remains;
  }
}

}  // namespace

std::optional<std::string> bucket_option_problem(const config::Server& server) {
  const config::Values& values = server.values;
  const bool has_backups = is_bucket_url(values.text("basebackups_directory"));
  const bool has_wal = is_bucket_url(values.text("wals_directory"));
  const std::string method = values.text("backup_method");
  if (method == "local-to-cloud" && !has_backups) {
    return "backup_method = local-to-cloud needs basebackups_directory = s3://BUCKET/PATH";
  }
  if (has_wal && values.text("compression") == "custom") {
    return "compression = custom cannot be used where WAL is in a bucket; name one of the built-in methods";
  }
  if (has_backups && method != "local-to-cloud" && method != "postgres") {
    return fmt::format(
        "backups with backup_method = {} cannot go into a bucket; use local-to-cloud or postgres", method);
  }
  if ((has_backups || has_wal) && values.flag("worm_mode")) {
    return "worm_mode cannot be used with a bucket; remove it, and lock objects in the bucket instead";
  }
  return std::nullopt;
}

BucketAnswers::Trial try_buckets(const Home& home) {
  BucketAnswers::Trial trial;
  if (home.backup_bucket) {
    during("base backups", [&] { try_place(*home.backup_bucket, kCloudBackups, home.is_active, trial); });
  }
  if (home.wal_bucket && trial.problem.empty()) {
    during("WAL", [&] { try_place(*home.wal_bucket, kCloudWals, home.is_active, trial); });
  }
  return trial;
}

}  // namespace barman::engine
