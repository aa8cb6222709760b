// Receives one base backup: takes its archives apart, hands on what is to be kept, and holds the files
// against the manifest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backup/backup_storage.h"
#include "engine/backup/received_files.h"
#include "engine/backup/streaming.h"
#include "postgres/replication.h"

namespace barman::engine {

class ArrivingBackup final : public postgres::BaseBackupReceiver {
 public:
  // An attempt of `storage` has begun.
  ArrivingBackup(const StreamingCopy& copy, BackupStorage& storage, Events& events)
      : copy_(copy), storage_(storage), events_(events) {}

  void started(const postgres::BackupPosition& start, std::span<const Tablespace> tablespaces) override;
  std::unique_ptr<stream::Sink> archive(const Tablespace& tablespace) override;
  std::unique_ptr<stream::Sink> manifest() override;
  void ended(const postgres::BackupPosition& end) override;
  void notice(std::string_view severity, std::string_view text) override;

  // After base_backup() has returned: everything has arrived, and is as the manifest says.
  StreamingOutcome finish();

  // What the server complained about while sending: it names the files whose pages are damaged.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  class Contents;
  class Manifest;

  [[nodiscard]] bool is_copied(std::string_view oid) const;
  void require_room() const;
  void refuse_unlisted();
  void progress(std::size_t bytes);

  const StreamingCopy& copy_;
  BackupStorage& storage_;
  Events& events_;
  ReceivedFiles received_;
  StreamingOutcome outcome_;
  std::optional<std::uint64_t> expected_{};
  std::uint64_t arrived_ = 0;
  std::uint64_t shown_ = 0;
  bool ended_ = false;
  bool has_manifest_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace barman::engine
