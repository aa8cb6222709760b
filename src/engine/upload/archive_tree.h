// A folder of a cluster into archives in a bucket, read by several threads.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "codec/tar_writer.h"
#include "engine/server/tar_series.h"
#include "os/work_ahead.h"
#include "store/object_store.h"

namespace barman::engine {

class PageCheck;

struct TreeForm {
  TarSeriesForm archives{};
  unsigned workers = 2;             // threads that read
  PageCheck* pages = nullptr;       // that relations are held to; borrowed
  std::function<void()> between{};  // called now and then while data passes
};

// A folder on its way into a series of archives. What is added is there when finish() has returned. Holds 1
// MiB of files that are read ahead, besides what compression and the store take.
class ArchiveTree {
 public:
  // `stem` is "data" or the object id of a tablespace. `store` and `form` outlive this.
  ArchiveTree(store::ObjectStore& store, const catalog::BackupId& id, std::string stem, const TreeForm& form);
  ~ArchiveTree();
  ArchiveTree(const ArchiveTree&) = delete;
  ArchiveTree& operator=(const ArchiveTree&) = delete;

  // The folder itself and what is below it, as far as `wanted` wants; a folder that is not wanted is not
  // entered. What vanishes meanwhile is left out; a file that becomes shorter is filled with zeroes, one that
  // grows is cut. Links to folders are left out.
  using Wanted = std::function<bool(const std::string& relative, bool is_folder)>;
  void add_tree(const std::filesystem::path& root, const Wanted& wanted, const std::stop_token& stop);
  // Throws kFailed if it cannot be read; returns false if it is not there.
  bool add_file(const std::filesystem::path& path, const std::string& name);
  void add_text(const std::string& name, const std::string& text, const codec::TarAttributes& attributes);

  // What is added from now on stays in one archive.
  void begin_last_part();
  // Returns when all that was added has been read.
  void settle();
  // Stores the last archive.
  void finish();
  // Of all its archives, as they are stored.
  [[nodiscard]] std::uint64_t stored_bytes() const { return series_.stored_bytes(); }

 private:
  struct Piece;

  bool add_path(const std::filesystem::path& path, const std::string& name, const std::string& relative);
  void add_entry(std::function<void(codec::TarWriter&)> write);
  [[nodiscard]] std::unique_ptr<Piece> new_piece();
  void push(std::unique_ptr<Piece> piece);
  void write_first();

  const TreeForm& form_;
  TarSeries series_;
  codec::TarWriter* tar_ = nullptr;            // for the entry under way
  std::deque<std::unique_ptr<Piece>> ahead_;   // in the order of the archive
  std::vector<std::vector<std::byte>> spare_;  // memory of pieces
  os::WorkAhead readers_;                      // last: its threads work on what is above
};

// What an archive keeps of a file, or folder. Throws kFailed.
codec::TarAttributes attributes_of_file(const std::filesystem::path& path);

// What belongs into a backup of a data directory. Its global/pg_control is added last, by itself.
bool is_backed_up(const std::string& relative, bool is_folder);

}  // namespace barman::engine
