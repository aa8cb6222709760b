// The folders that a restore writes to: looked at before the first byte, marked while they are incomplete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace barman::engine {

// What goes where: the data directory first, then a tablespace each, then a folder of WAL if it has its own.
struct RestoreFolder {
  std::filesystem::path from{};  // empty: nothing is copied as it is
  std::filesystem::path to;
  std::uint64_t bytes = 0;
  // Set: the folder is that of an earlier state of the cluster and is written over, file by file; so much of
  // its room can be used again.
  std::optional<std::uint64_t> reused{};
  std::string tablespace{};  // its name; empty for the others
  std::uint32_t oid = 0;
};

// Stands in each folder of a restore that has not come to its end. As long as the data directory has no
// global/pg_control, a folder with it is ours to start anew.
inline constexpr const char* kIncompleteMark = ".barman-restore-incomplete";

// Whether there is nothing in it but what a file system puts at its top.
bool holds_nothing(const std::filesystem::path& folder);

// Whether the folder, of a restore with that data directory, was left by one that did not come to its end.
bool is_interrupted_restore(const std::filesystem::path& folder, const std::filesystem::path& data);

// Throws kRefused, naming the folder and what to do: it is no directory, holds something that is no
// interrupted restore and is not to be written over, a server runs in it, it is somebody else's or cannot be
// written to, it is one of the others or holds the data directory, or its file system has too little room for
// what goes there.
void check_folders(const std::vector<RestoreFolder>& folders);

// Makes the folders (0700), marks them, and empties those of an interrupted restore that are not written
// over.
void prepare_folders(const std::vector<RestoreFolder>& folders);

// Says that the restore came to its end. A mark that stays after a crash does no harm.
void remove_marks(const std::vector<RestoreFolder>& folders);

}  // namespace barman::engine
