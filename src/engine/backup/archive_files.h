// A base backup kept as the archives that the server sends, compressed and encrypted as wanted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/backup/backup_storage.h"
#include "stream/chain.h"

namespace barman::engine {

class Events;

// How archives are kept.
struct ArchiveForm {
  std::string suffix;                   // of their names: ".tar.zst"
  bool is_compressed = false;           // by the server or by `stages`
  std::vector<stream::Stage> stages{};  // from what arrives to what is stored
};

// In <folder>/data: base.tar…, <oid>.tar… and the manifest.
class ArchiveFiles final : public BackupStorage {
 public:
  ArchiveFiles(std::filesystem::path folder, ArchiveForm form, Events& events)
      : folder_(std::move(folder)), data_(folder_ / "data"), form_(std::move(form)), events_(events) {}

  void begin() override;
  [[nodiscard]] std::optional<std::filesystem::path> folder_to_fill() const override;
  void add_tablespace(const Tablespace& tablespace) override;
  Archive archive(const Tablespace& tablespace) override;
  std::unique_ptr<stream::Sink> manifest() override;
  void finish(const std::stop_token& stop) override;
  // Archives do not tell a name again.
  std::optional<std::string> find_unlisted(ReceivedFiles&) override { return std::nullopt; }

 private:
  const std::filesystem::path folder_;
  const std::filesystem::path data_;
  const ArchiveForm form_;
  Events& events_;
};

}  // namespace barman::engine
