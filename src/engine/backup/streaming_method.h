// backup_method = postgres: PostgreSQL sends its files over the replication protocol.
#pragma once

#include <memory>
#include <vector>

#include "engine/backup/backup_storage.h"
#include "engine/backup/method.h"
#include "engine/backup/streaming.h"
#include "engine/backup/under_way.h"
#include "engine/server/backup_format.h"

namespace barman::engine {

class StreamingMethod final : public BackupMethod {
 public:
  explicit StreamingMethod(BackupUnderWay& backup)
      : backup_(backup), format_(backup_format(backup.around.server)) {}

  [[nodiscard]] std::string_view mode() const override { return "postgres"; }
  void prepare() override;
  void start() override;
  void copy() override;
  void stop() override;
  [[nodiscard]] StoredSize measure() override;

 private:
  void choose_parent();
  void refuse_what_archives_lack() const;
  [[nodiscard]] std::string begin_text() const;
  void copy_into(BackupStorage& storage);
  void copy_into_bucket();
  void name_new_tablespaces(postgres::Session& session);

  BackupUnderWay& backup_;
  const BackupFormat format_;
  std::vector<catalog::Tablespace> named_;  // as known by SQL
  std::optional<std::uint32_t> rate_;       // that the server keeps to
  StreamingOutcome outcome_;
  std::uint64_t stored_ = 0;  // in a bucket
};

}  // namespace barman::engine
