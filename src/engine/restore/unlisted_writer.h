// Writes a full backup of which no manifest says what belongs to it: all files that come.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/restore/destination.h"
#include "engine/restore/member.h"

namespace barman::engine {

// Of a file that comes twice the last one stays. What stands at a file's place is written over where it
// differs; there must be no links. pg_control is written under another name (kControlUnderWay).
class UnlistedWriter final : public MemberReceiver {
 public:
  explicit UnlistedWriter(const std::vector<RestoreFolder>& folders) : folders_(folders) {}

  // Only noted.
  void directory(const std::string& path, unsigned mode) override;
  std::unique_ptr<stream::Sink> file(const MemberFile& file) override;

  // Throws kCorrupt if a file has not come that every backup has, and that comes last. `name` is the
  // backup's.
  void require_whole(const std::string& name) const;

  // Whether the file of this name is one of those that came.
  [[nodiscard]] bool has_come(std::string_view path) const;

  // Makes the folders, also those that hold nothing.
  void make_directories() const;

 private:
  class ComingFile;

  const std::vector<RestoreFolder>& folders_;
  mutable std::mutex mutex_;                  // guards what follows
  std::map<std::string, unsigned> modes_;     // of folders
  mutable std::vector<std::uint64_t> files_;  // hashes of paths
  mutable bool is_sorted_ = true;
};

}  // namespace barman::engine
