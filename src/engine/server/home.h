// Where one server's things are, on disk or in a bucket, and how its lock files are called. Every path that
// we make is made here.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"
#include "config/settings.h"
#include "pgformat/wal_name.h"

namespace barman::store {
class Bucket;
}

namespace barman::engine {

class BucketHome;

struct Home {
  std::string server;
  std::filesystem::path backup_directory;
  std::filesystem::path meta;  // <backup_directory>/meta
  std::filesystem::path base;  // empty if base backups are in a bucket
  std::filesystem::path wals;  // empty if the WAL archive is in a bucket
  std::filesystem::path incoming;
  std::filesystem::path streaming;
  std::filesystem::path errors;
  std::filesystem::path xlogdb;  // the file
  std::filesystem::path identity;
  std::filesystem::path locks;  // barman_lock_directory

  // Set if they are kept there. Shared, as a home is copied, and the two may be one.
  std::shared_ptr<BucketHome> backup_bucket{};
  std::shared_ptr<BucketHome> wal_bucket{};
  bool is_active = true;  // only then does the local catalogue tell all that is in the bucket

  [[nodiscard]] std::filesystem::path backup(const catalog::BackupId& id) const { return base / id.text; }
  [[nodiscard]] std::filesystem::path data(const catalog::BackupId& id) const {
    return base / id.text / "data";
  }
  // The server's manifest of a streamed backup: always in clear text, whatever the format of the backup. With
  // a backup in a bucket it is a copy, which another host may lack.
  [[nodiscard]] std::filesystem::path manifest(const catalog::BackupId& id) const;
  // In a folder; what may be in a bucket is found by engine/wal/wal_archive.h.
  [[nodiscard]] std::filesystem::path archived(const pgformat::WalName& name,
                                               std::string_view file_name) const;

  [[nodiscard]] std::filesystem::path backup_lock() const { return lock("-backup"); }
  [[nodiscard]] std::filesystem::path cron_lock() const { return lock("-cron"); }
  [[nodiscard]] std::filesystem::path archive_lock() const { return lock("-archive-wal"); }
  [[nodiscard]] std::filesystem::path receive_lock() const { return lock("-receive-wal"); }
  [[nodiscard]] std::filesystem::path xlogdb_lock() const { return lock("-xlogdb"); }
  [[nodiscard]] std::filesystem::path records_lock() const { return lock("-records"); }
  [[nodiscard]] std::filesystem::path id_lock(const catalog::BackupId& id) const {
    return lock("-" + id.text);
  }

 private:
  [[nodiscard]] std::filesystem::path lock(const std::string& suffix) const {
    return locks / ("." + server + suffix + ".lock");
  }
};

// Opens the bucket of a URL for the server. Called when something is first asked of it.
using BucketOpener =
    std::function<std::shared_ptr<store::Bucket>(const config::Server& server, const std::string& url)>;

// Whether the directory that an option names is a place in a bucket.
bool is_bucket_url(const std::string& directory);

Home home_of(const config::Server& server, const config::Configuration& configuration,
             const BucketOpener& open);

}  // namespace barman::engine
