// What list-backups and show-backup tell, as values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/retention.h"
#include "catalog/wal_sizes.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/server/retention_settings.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

struct BackupLine {
  catalog::BackupInfo info;
  catalog::WalOfBackup wal;
  std::optional<catalog::RetentionStatus> retention{};  // nothing: no policy

  // Its files and the WAL that makes it consistent.
  [[nodiscard]] std::uint64_t size_with_wal() const { return info.size.value_or(0) + wal.own.bytes; }
};

struct BackupList {
  std::string server;
  std::vector<BackupLine> backups;    // newest first
  std::vector<std::string> warnings;  // of the catalogue
};

BackupList list_backups(const Home& home, const catalog::Catalog& catalog, const RetentionSettings& settings,
                        Time now, Events& events);

// Numbers that the copy recorded about itself.
struct CopyStats {
  std::optional<double> copy_seconds{};
  double analysis_seconds = 0;
  std::int64_t workers = 1;
  bool operator==(const CopyStats&) const = default;
};
CopyStats copy_stats_of(const catalog::BackupInfo& info);

struct BackupDetails {
  std::string server;
  catalog::BackupInfo info;
  catalog::WalOfBackup wal;
  std::optional<catalog::RetentionStatus> retention{};
  std::optional<catalog::BackupId> previous{};
  std::optional<catalog::BackupId> next{};
  std::optional<catalog::BackupId> root{};  // of an incremental; nothing if a link of its chain is missing
  std::size_t chain_length = 1;
  std::vector<pgformat::Timeline> reachable_timelines{};
  CopyStats copy{};
};

// `backups` are all of the server's, `info` one of them. Histories of timelines are read as `format` can.
BackupDetails describe_backup(const Home& home, const catalog::Catalog& catalog,
                              const std::vector<catalog::BackupInfo>& backups,
                              const catalog::BackupInfo& info, const RetentionSettings& settings, Time now,
                              Events& events, const WalFormat& format = {});

}  // namespace barman::engine
