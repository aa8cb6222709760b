// The folders that a restore writes to: looked at before the first byte, marked while they are incomplete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace barman::engine {

// What goes where: the data directory first, then a tablespace each.
struct RestoreFolder {
  std::filesystem::path from;
  std::filesystem::path to;
  std::uint64_t bytes = 0;
  std::string tablespace{};  // its name; empty for the data directory
  std::uint32_t oid = 0;
};

// Stands in each folder of a restore that has not come to its end. A folder with it is ours to start anew.
inline constexpr const char* kIncompleteMark = ".barman-restore-incomplete";

// Throws kRefused, naming the folder and what to do: it is no directory, holds something that is no
// interrupted restore, a server runs in it, it cannot be written to, or its file system has too little room
// for what goes there.
void check_folders(const std::vector<RestoreFolder>& folders);

// Makes the folders (0700), empties those of an interrupted restore, and marks them.
void prepare_folders(const std::vector<RestoreFolder>& folders);

}  // namespace barman::engine
