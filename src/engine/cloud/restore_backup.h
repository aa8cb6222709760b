// A backup out of a bucket, into a data directory and its tablespaces. One pass: nothing is written but the
// files themselves.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/server/cloud_archives.h"
#include "store/object_store.h"

namespace barman::engine {

// Archives that are unpacked into one folder.
struct CloudSeries {
  std::filesystem::path folder;
  std::uint32_t oid = 0;  // of a tablespace; 0: the data directory
  std::vector<CloudArchiveObject> archives{};
};

// Where tablespaces go, by their names; those that are not named go where they came from.
using TablespaceRules = std::map<std::string, std::filesystem::path>;
// "NAME:LOCATION". Nothing for any other text.
std::optional<std::pair<std::string, std::filesystem::path>> parse_tablespace_rule(std::string_view text);

// The data directory first. Throws kCorrupt if archives are missing; kRefused if a folder is there and not
// empty, before anything is written.
std::vector<CloudSeries> plan_cloud_restore(store::ObjectStore& store, const catalog::BackupInfo& info,
                                            const std::filesystem::path& destination,
                                            const TablespaceRules& rules);

// Unpacks up to `workers` archives at a time, and fetches so many ranges of them: holds twice as many times 8
// MiB. Nothing outside the folders is written, whatever the archives say. global/pg_control gets its name
// last, when all is on disk: what broke off cannot be started.
void restore_cloud_backup(store::ObjectStore& store, const std::vector<CloudSeries>& series, unsigned workers,
                          const std::stop_token& stop);

// What a recovery wants to reach.
struct CloudTarget {
  std::optional<Time> time{};
  std::optional<pgformat::Lsn> lsn{};
  std::optional<pgformat::Timeline> timeline{};
};
// The newest backup from which it can be reached; nothing if there is none.
std::optional<catalog::BackupId> newest_before(const std::vector<catalog::BackupInfo>& backups,
                                               const CloudTarget& target);

}  // namespace barman::engine
