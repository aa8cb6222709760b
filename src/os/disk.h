// How much room a file system has.
#pragma once

#include <cstdint>
#include <filesystem>

namespace barman::os {

// Bytes that an unprivileged process may still write below `path`; for a path that does not exist yet, of the
// nearest folder above it that does. Throws kFailed.
std::uint64_t free_bytes(const std::filesystem::path& path);

// Whether both are on one file system; each may not exist yet, as above.
bool same_file_system(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace barman::os
