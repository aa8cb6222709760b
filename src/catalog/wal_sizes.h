// Sizes of the WAL that belongs to backups, for any number of backups from one pass over the index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/xlogdb.h"
#include "pgformat/wal_name.h"

namespace barman::catalog {

struct WalTotal {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // as stored

  bool operator==(const WalTotal&) const = default;
};

// The archived segments of one backup's timeline.
struct WalOfBackup {
  WalTotal own;         // from its begin to its end: needed to make it consistent
  WalTotal until_next;  // after its end, up to the end of the next backup
  std::string last{};   // the newest of both; empty if there is none

  double seconds = 0;  // between the times of the first and the last

  bool operator==(const WalOfBackup&) const = default;
};

// Collect every entry of the index with add(), then ask.
class WalSizes {
 public:
  // Makes room for so many.
  void reserve(std::size_t entries) { entries_.reserve(entries); }
  // Counts a whole segment; other names are left out.
  void add(const WalLine& line);

  // `next` is the available backup that follows, or null. All zero while the backup's range is unknown.
  // Of entries with the same name the last one added counts.
  [[nodiscard]] WalOfBackup of(const BackupInfo& info, const BackupInfo* next);

 private:
  struct Entry {
    pgformat::Segment segment;
    std::uint64_t size = 0;
    double time = 0;
  };

  void index();
  // The entries from `first` to `last`, both counted.
  [[nodiscard]] WalTotal between(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::size_t first_not_before(const pgformat::Segment& segment) const;
  [[nodiscard]] std::size_t first_after(const pgformat::Segment& segment) const;

  std::vector<Entry> entries_;
  std::vector<std::uint64_t> bytes_before_;  // of the entries up to each one
  bool indexed_ = false;
};

}  // namespace barman::catalog
