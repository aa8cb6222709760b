// One backup while it is taken: what its steps share.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/backup/backup.h"
#include "engine/server/inspect.h"
#include "postgres/connector.h"
#include "postgres/session.h"

namespace barman::engine {

struct BackupUnderWay {
  const BackupRequest& request;
  const BackupSurroundings& around;
  const std::stop_token stop;

  ServerFacts facts{};
  std::vector<catalog::BackupInfo> existing{};  // the others of the server
  catalog::BackupInfo info{};                   // the record
  const char* doing = "starting backup";        // what the record says failed, if it fails

  // `option` names the connection string.
  [[nodiscard]] std::unique_ptr<postgres::Session> connect(const char* option) const;
};

// "/srv/barman/main/base/20261122T133001", or the path in the bucket: what the console calls it.
std::string place_text(const BackupUnderWay& backup);

// A step that helps, but that a backup can do without.
void try_on_server(const BackupUnderWay& backup, postgres::Session& session, const std::string& statement);

// That configuration is not part of the backup, unless backup_options says that this is known.
void warn_of_files_left_out(const BackupUnderWay& backup, const std::vector<std::string>& files);

// For a standby, which cannot end a segment by itself; nothing without primary_conninfo.
void switch_wal_of_primary(const BackupUnderWay& backup);

}  // namespace barman::engine
