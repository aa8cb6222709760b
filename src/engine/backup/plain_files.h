// A base backup kept as the files of its cluster.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/backup/backup_storage.h"
#include "engine/backup/tree_writer.h"
#include "os/file_system_sync.h"

namespace barman::engine {

class Events;

// The data directory is <folder>/data, and each tablespace <folder>/<oid>, which a link in pg_tblspc leads
// to.
class PlainFiles final : public BackupStorage {
 public:
  PlainFiles(std::filesystem::path folder, Events& events)
      : folder_(std::move(folder)), data_(folder_ / "data"), events_(events) {}

  void begin() override;
  [[nodiscard]] std::optional<std::filesystem::path> folder_to_fill() const override;
  void add_tablespace(const Tablespace& tablespace) override;
  Archive archive(const Tablespace& tablespace) override;
  std::unique_ptr<stream::Sink> manifest() override;
  void finish(const std::stop_token& stop) override;
  std::optional<std::string> find_unlisted(ReceivedFiles& received) override;

 private:
  class Entries;

  [[nodiscard]] std::filesystem::path place_of(const Tablespace& tablespace) const;

  const std::filesystem::path folder_;
  const std::filesystem::path data_;
  Events& events_;
  // Since begin():
  std::optional<TreeWriter> writer_;
  std::optional<os::FileSystemSync> sync_;
};

}  // namespace barman::engine
