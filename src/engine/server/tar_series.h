// One folder of a backup as a series of archives in a bucket: "data.tar", "data_0001.tar", …
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "codec/detect.h"
#include "codec/tar_writer.h"
#include "engine/server/cloud_keys.h"
#include "store/object_store.h"
#include "stream/chain.h"

namespace barman::engine {

// What all series of a backup have in common.
struct TarSeriesForm {
  std::optional<codec::Compression> compression{};         // that `stages` do, for the names
  bool encrypted = false;                                  // the same
  std::vector<stream::Stage> stages{};                     // from the archive to what is stored
  std::uint64_t most_bytes = 100ULL * 1024 * 1024 * 1024;  // of what is stored, after which another is begun
  store::CreateOptions objects{};
};

// Archives that are complete are in the bucket at once, the last one when finish() has returned. Destroyed
// without it, the one under way is withdrawn; those before it are the caller's to remove.
class TarSeries {
 public:
  // `stem` is "data" or the object id of a tablespace. `store` and `form` outlive this.
  TarSeries(store::ObjectStore& store, const catalog::BackupId& id, std::string stem,
            const TarSeriesForm& form);

  // For one entry, which is never divided: an archive becomes larger than it should by at most that.
  [[nodiscard]] codec::TarWriter& entry();

  // All entries from the next one on stay in one archive.
  void begin_last() { most_bytes_ = std::numeric_limits<std::uint64_t>::max(); }
  void finish();

  // Of all its archives, as they are stored.
  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_; }

 private:
  void open_next();
  void close();

  store::ObjectStore& store_;
  const catalog::BackupId id_;
  const TarSeriesForm& form_;
  std::uint64_t most_bytes_;
  CloudArchiveName name_;                  // of the next one
  std::atomic<std::uint64_t> stored_ = 0;  // counted by threads of the stages, too
  std::uint64_t stored_before_ = 0;        // the archive under way
  std::unique_ptr<stream::Sink> path_;
  std::optional<codec::TarWriter> tar_;
};

}  // namespace barman::engine
