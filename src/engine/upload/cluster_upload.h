// The files of a running cluster on this machine, on their way into the archives of a backup in a bucket.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/upload/archive_tree.h"
#include "store/object_store.h"

namespace barman::engine {

// What is copied.
struct ClusterFiles {
  std::filesystem::path data;
  std::vector<catalog::Tablespace> tablespaces{};  // those in place, below pg_tblspc, are part of `data`
  int version = 0;                                 // server_version_num
  std::vector<std::filesystem::path> others{};     // configuration that is elsewhere; may be missing
};
// As the record of the backup has them.
ClusterFiles cluster_files(const catalog::BackupInfo& info);

// Throws kRefused unless the files can be read here.
void require_local_cluster(const ClusterFiles& files);

class ClusterUpload {
 public:
  // `form`, `clock` and `store` outlive this.
  ClusterUpload(store::ObjectStore& store, const catalog::BackupId& id, ClusterFiles files,
                const TreeForm& form, Clock& clock);

  // All but backup_label: call it while the server knows of the backup. One archive after the other;
  // global/pg_control and what finish() adds are in the last one.
  void copy(const std::stop_token& stop);
  // What the server said when it ended the backup.
  void finish(const std::string& backup_label);

  // Of all archives, as they are stored.
  [[nodiscard]] std::uint64_t stored_bytes() const;
  // For the record, as the original has it.
  [[nodiscard]] std::string copy_stats() const;

 private:
  void copy_tablespace(const catalog::Tablespace& tablespace, const std::stop_token& stop);
  void copy_data(const std::stop_token& stop);

  store::ObjectStore& store_;
  const catalog::BackupId id_;
  const ClusterFiles files_;
  const TreeForm& form_;
  Clock& clock_;
  const Time begun_;
  std::chrono::duration<double> total_{};
  std::map<std::string, std::chrono::duration<double>> times_;  // by series
  Time data_begun_{};
  std::uint64_t stored_ = 0;  // by series that are complete
  std::unique_ptr<ArchiveTree> data_;
};

}  // namespace barman::engine
