// Where one server's things are on disk, and how its lock files are called. Every path that
// we make is made here.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"
#include "config/settings.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

struct Home {
  std::string server;
  std::filesystem::path backup_directory;
  std::filesystem::path meta;  // <backup_directory>/meta
  std::filesystem::path base;
  std::filesystem::path wals;
  std::filesystem::path incoming;
  std::filesystem::path streaming;
  std::filesystem::path errors;
  std::filesystem::path xlogdb;  // the file
  std::filesystem::path identity;
  std::filesystem::path locks;  // barman_lock_directory

  [[nodiscard]] std::filesystem::path backup(const catalog::BackupId& id) const { return base / id.text; }
  [[nodiscard]] std::filesystem::path data(const catalog::BackupId& id) const {
    return base / id.text / "data";
  }
  [[nodiscard]] std::filesystem::path archived(const pgformat::WalName& name,
                                               std::string_view file_name) const;

  [[nodiscard]] std::filesystem::path backup_lock() const { return lock("-backup"); }
  [[nodiscard]] std::filesystem::path cron_lock() const { return lock("-cron"); }
  [[nodiscard]] std::filesystem::path archive_lock() const { return lock("-archive-wal"); }
  [[nodiscard]] std::filesystem::path receive_lock() const { return lock("-receive-wal"); }
  [[nodiscard]] std::filesystem::path xlogdb_lock() const { return lock("-xlogdb"); }
  [[nodiscard]] std::filesystem::path id_lock(const catalog::BackupId& id) const {
    return lock("-" + id.text);
  }

 private:
  [[nodiscard]] std::filesystem::path lock(const std::string& suffix) const {
    return locks / ("." + server + suffix + ".lock");
  }
};

// Throws kFailed if the server keeps its backups or WAL in a bucket: this build does not do that.
Home home_of(const config::Server& server, const config::Configuration& configuration);

}  // namespace barman::engine
