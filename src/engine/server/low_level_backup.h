// A backup that the server knows of while its files are copied by somebody else: PostgreSQL's low-level API.
#pragma once

#include <optional>
#include <string>

#include "catalog/backup_info.h"
#include "pgformat/lsn.h"

namespace barman {
class Clock;
}
namespace barman::postgres {
class Session;
}

namespace barman::engine {

struct ServerFacts;

// The backup lasts as long as the session does; until stop() what was copied is of no use.
class LowLevelBackup {
 public:
  // Both outlive this.
  LowLevelBackup(postgres::Session& session, const ServerFacts& facts) : session_(session), facts_(facts) {}

  // Waits for a checkpoint; a fast one if asked for. Records where the backup begins, and STARTED.
  void start(catalog::BackupInfo& info, const std::string& label, bool fast_checkpoint, Clock& clock);

  // Waits until the WAL of the backup is archived. Records where it ends, and returns the text of
  // backup_label.
  std::string stop(catalog::BackupInfo& info, Clock& clock);

 private:
  [[nodiscard]] bool has_new_names() const;

  postgres::Session& session_;
  const ServerFacts& facts_;
};

// Marks the end of a backup in the WAL as Barman does, "barman_<id>"; a standby cannot.
void create_restore_point(postgres::Session& session, const ServerFacts& facts, const catalog::BackupId& id);

}  // namespace barman::engine
