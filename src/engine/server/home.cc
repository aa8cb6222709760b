#include "engine/server/home.h"

#include "catalog/file_names.h"
#include "engine/server/bucket_home.h"

namespace barman::engine {

std::filesystem::path Home::manifest(const catalog::BackupId& id) const {
  return backup_bucket ? meta / catalog::manifest_name(id) : data(id) / "backup_manifest";
}

std::filesystem::path Home::archived(const pgformat::WalName& name, std::string_view file_name) const {
  return wals / pgformat::hash_directory(name) / file_name;
}

namespace {

// The index of WAL that is in a bucket is kept here: its place by default would be in the bucket.
std::filesystem::path index_folder(const config::Server& server, const std::string& wals) {
  const std::string folder = server.values.text("xlogdb_directory");
  const bool is_in_bucket = is_bucket_url(folder) || (is_bucket_url(wals) && folder.starts_with(wals));
  return is_in_bucket ? server.path("backup_directory") / "meta" : std::filesystem::path(folder);
}

}  // namespace

bool is_bucket_url(const std::string& directory) { return directory.find("://") != std::string::npos; }

Home home_of(const config::Server& server, const config::Configuration& configuration,
             const BucketOpener& open) {
  const std::filesystem::path root = server.path("backup_directory");
  const std::string base = server.values.text("basebackups_directory");
  const std::string wals = server.values.text("wals_directory");
  Home home{
      .server = server.name,
      .backup_directory = root,
      .meta = root / "meta",
      .base = is_bucket_url(base) ? "" : base,
      .wals = is_bucket_url(wals) ? "" : wals,
      .incoming = server.path("incoming_wals_directory"),
      .streaming = server.path("streaming_wals_directory"),
      .errors = server.path("errors_directory"),
      .xlogdb = index_folder(server, wals) / (server.name + "-xlog.db"),
      .identity = root / "identity.json",
      .locks = configuration.global.text("barman_lock_directory"),
      .is_active = server.active(),
  };
  const auto bucket = [&](const std::string& url) {
    return std::make_shared<BucketHome>(url, server.name, [open, &server, url] { return open(server, url); });
  };
  if (is_bucket_url(base)) home.backup_bucket = bucket(base);
  if (is_bucket_url(wals)) home.wal_bucket = wals == base ? home.backup_bucket : bucket(wals);
  return home;
}

}  // namespace barman::engine
