// Files that appear whole or not at all, and that are still there after a power cut.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stream/stream.h"

namespace barman::os {

// Begins a file that gets its name when it is finished: written as ".<name>.<random>.tmp" beside it, then
// fsync, rename over `path`, fsync of the folder. Abandoned, it is removed. Throws kFailed with the path and
// the system's reason ("No space left on device").
struct FileOptions {
  mode_t mode = 0600;
  bool must_be_new = false;  // finish() throws kRefused if `path` exists by then
  bool sync = true;
  bool is_large = false;  // its way to the disk begins while it is being written
};
std::unique_ptr<stream::Sink> create_file(const std::filesystem::path& path, FileOptions options = {});

// The same for a small text.
void write_file(const std::filesystem::path& path, std::string_view text, FileOptions options = {});

// A file's bytes from the start, or from `offset`. Throws kFailed if it cannot be opened.
std::unique_ptr<stream::Source> open_file(const std::filesystem::path& path, std::uint64_t offset = 0);

// The whole text of a small file; nothing if there is no such file. Throws kFailed otherwise, and if it is
// larger than `limit` bytes.
std::optional<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 64 * 1024 * 1024);

// Removes a file durably; returns whether there was one.
bool remove_file(const std::filesystem::path& path);

// Makes the folder and those above it, as mkdir -p; an existing folder is left as it is. New entries are
// synced.
void make_directories(const std::filesystem::path& path, mode_t mode = 0777);

// fsync of a folder's entries. File systems that refuse it (EINVAL) are forgiven.
void sync_directory(const std::filesystem::path& path);

// fsync of a file's data and metadata.
void sync_file(const std::filesystem::path& path);

// Renames, then syncs both folders. Throws kFailed; EXDEV is answered by a durable copy and removal of the
// source.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);

// Throws kFailed: "<doing> <path>: <text of errno>".
[[noreturn]] void throw_errno(std::string_view doing, const std::filesystem::path& path);

}  // namespace barman::os
