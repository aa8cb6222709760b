// A base backup kept as archives in a bucket, made anew from what the server sends: no local copy of it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/backup/backup_storage.h"
#include "engine/server/tar_series.h"

namespace barman::store {
class Bucket;
}

namespace barman::engine {

// One series of archives for the data directory, "data.tar" …, and one for each tablespace. Links to
// tablespaces are left out: a restore makes them. The manifest is the last member of the data directory's
// series, an object of its own, and a file here.
class BucketArchives final : public BackupStorage {
 public:
  struct Place {
    store::Bucket& bucket;
    catalog::BackupId id;
    std::filesystem::path manifest;  // the file here
    Clock& clock;
  };
  BucketArchives(Place place, TarSeriesForm form);
  ~BucketArchives() override;
  BucketArchives(const BucketArchives&) = delete;
  BucketArchives& operator=(const BucketArchives&) = delete;

  void begin() override;
  [[nodiscard]] std::optional<std::filesystem::path> folder_to_fill() const override { return std::nullopt; }
  void add_tablespace(const Tablespace&) override {}
  Archive archive(const Tablespace& tablespace) override;
  std::unique_ptr<stream::Sink> manifest() override;
  void finish(const std::stop_token& stop) override;
  std::optional<std::string> find_unlisted(ReceivedFiles&) override { return std::nullopt; }

  // After finish(): of all archives, as they are stored.
  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_; }
  // How long each series took, by stem.
  [[nodiscard]] const std::map<std::string, std::chrono::duration<double>>& times() const { return times_; }

 private:
  class Entries;
  struct Series;

  Series& data_series();
  void finish_tablespace();
  void complete(Series& series);
  void add_manifest(const std::stop_token& stop);

  const Place place_;
  const TarSeriesForm form_;
  bool is_retry_ = false;
  std::unique_ptr<Series> data_;        // open until the manifest is in it
  std::unique_ptr<Series> tablespace_;  // that is arriving
  std::uint64_t stored_ = 0;
  std::map<std::string, std::chrono::duration<double>> times_;
};

}  // namespace barman::engine
