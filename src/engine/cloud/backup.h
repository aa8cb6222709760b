// A backup of a running cluster on this machine, straight into a bucket.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/upload/archive_tree.h"
#include "store/object_store.h"

namespace barman::postgres {
class Session;
}

namespace barman::engine {

struct CloudBackupRequest {
  std::optional<std::string> name{};
  bool fast_checkpoint = false;
  std::chrono::seconds keep_alive{60};  // of the idle connection; 0: none
  TreeForm form{};
};

// Takes the backup and returns its record, DONE. The record is in the bucket from the start, STARTED, then
// DONE or FAILED with the reason. Throws what went wrong; the server's backup mode has ended in any case.
catalog::BackupInfo take_cloud_backup(store::ObjectStore& store, postgres::Session& session,
                                      const CloudBackupRequest& request, Clock& clock,
                                      const std::stop_token& stop);

// A finished backup of a Barman server, `folder` with data/ and a folder for each tablespace, with its
// record.
void upload_local_backup(store::ObjectStore& store, const catalog::BackupId& id,
                         const std::filesystem::path& folder, const std::filesystem::path& record,
                         const TreeForm& form, const std::stop_token& stop);

}  // namespace barman::engine
