// Trees of files: walking, measuring, removing, making durable. Links are never followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

namespace barman::os {

enum class EntryKind { kFile, kDirectory, kSymlink, kOther };

struct TreeEntry {
  std::filesystem::path relative;  // to the root of the walk
  EntryKind kind = EntryKind::kFile;
  std::uint64_t size = 0;     // of files
  std::uint64_t links = 1;    // of files: hard links
  unsigned mode = 0;          // permission bits
  std::int64_t modified = 0;  // seconds since the epoch
};

// Calls `visit` for each entry below `root`, a folder before what is in it, names in byte order. Entries that
// vanish meanwhile are skipped. A `visit` that returns false for a folder keeps the walk out of it.
// Throws kFailed if `root` cannot be read.
void walk_tree(const std::filesystem::path& root, const std::function<bool(const TreeEntry&)>& visit);

struct TreeSize {
  std::uint64_t bytes = 0;         // all files, hard links counted each time
  std::uint64_t unique_bytes = 0;  // files with a single link
  std::uint64_t files = 0;
};
TreeSize measure_tree(const std::filesystem::path& root);

// Removes `root` and all below it; returns false if there was nothing. Throws kFailed.
bool remove_tree(const std::filesystem::path& root);

// Makes all files and folders below `root`, and `root` itself, durable. Throws kFailed on the first file that
// could not be stored. Uses `workers` threads: a sync mostly waits.
void sync_tree(const std::filesystem::path& root, unsigned workers, const std::stop_token& stop = {});

}  // namespace barman::os
