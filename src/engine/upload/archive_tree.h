// A folder of a cluster as a series of archives in a bucket.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "codec/detect.h"
#include "codec/tar_writer.h"
#include "store/object_store.h"
#include "stream/chain.h"

namespace barman::engine {

struct CloudArchiveForm {
  std::optional<codec::Compression> compression{};
  std::uint64_t most_bytes = 100ULL * 1024 * 1024 * 1024;  // of an archive, after which another is begun
  std::vector<std::pair<std::string, std::string>> tags{};
  std::vector<stream::Stage> on_the_way_out{};  // throttling
  std::function<void()> between{};              // called now and then while data passes
};

// The archives of one folder: "data.tar", "data_0001.tar", …
class ArchiveSeries {
 public:
  // `stem` is "data" or the number of a tablespace.
  ArchiveSeries(store::ObjectStore& store, const catalog::BackupId& id, std::string stem,
                const CloudArchiveForm& form);

  // The folder itself and what is below it, as far as `wanted` wants; a folder that is not wanted is not
  // entered. What vanishes meanwhile is left out; a file that becomes shorter is filled with zeroes, one that
  // grows is cut. Links to folders are left out.
  using Wanted = std::function<bool(const std::string& relative, bool is_folder)>;
  void add_tree(const std::filesystem::path& root, const Wanted& wanted, const std::stop_token& stop);
  // Throws kFailed if it cannot be read; returns false if it is not there.
  bool add_file(const std::filesystem::path& path, const std::string& name);
  void add_text(const std::string& name, const std::string& text, const codec::TarAttributes& attributes);

  // Stores the last archive.
  void finish();

 private:
  void make_room();
  void open_next();
  void close();

  store::ObjectStore& store_;
  const catalog::BackupId id_;
  const std::string stem_;
  const CloudArchiveForm& form_;
  unsigned number_ = 0;
  stream::Measurement stored_{};  // of the archive under way
  std::unique_ptr<stream::Sink> path_;
  std::unique_ptr<codec::TarWriter> tar_;
  std::vector<std::byte> buffer_;  // of the file that is read
};

// What belongs into a backup of a data directory. Its global/pg_control is added last, by itself.
bool is_backed_up(const std::string& relative, bool is_folder);

}  // namespace barman::engine
