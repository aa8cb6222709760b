// backup_method = local-to-cloud: the files of the cluster, which is on this machine, are read here and go
// straight into a bucket. PostgreSQL is told by its low-level API.
#pragma once

#include <memory>
#include <optional>

#include "engine/backup/method.h"
#include "engine/backup/under_way.h"
#include "engine/server/backup_format.h"
#include "engine/server/low_level_backup.h"
#include "engine/upload/cluster_upload.h"
#include "engine/upload/page_check.h"

namespace barman::engine {

class LocalToCloudMethod final : public BackupMethod {
 public:
  explicit LocalToCloudMethod(BackupUnderWay& backup)
      : backup_(backup), format_(backup_format(backup.around.server)) {}

  [[nodiscard]] std::string_view mode() const override { return "local-to-cloud-concurrent"; }
  // Throws kUsage for options that do not fit, kRefused unless the cluster of the connection is here and
  // belongs to who runs us.
  void prepare() override;
  void start() override;
  void copy() override;
  void stop() override;
  [[nodiscard]] StoredSize measure() override;

 private:
  void require_fitting_options() const;
  [[nodiscard]] TreeForm tree_form() const;
  void warn_of_external_files() const;

  BackupUnderWay& backup_;
  const BackupFormat format_;
  std::unique_ptr<postgres::Session> session_;  // the server's backup lasts as long as it
  std::optional<LowLevelBackup> server_;
  TreeForm form_;
  std::optional<PageCheck> pages_;
  std::unique_ptr<ClusterUpload> upload_;
};

}  // namespace barman::engine
