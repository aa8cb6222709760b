// Copies of single files, the cheapest way that the file system can.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "stream/stream.h"

namespace barman::os {

struct CopyOptions {
  // Sees every byte in order; then the copy goes through memory. Without it the kernel copies: a reflink
  // where the file system can, else copy_file_range, else through memory.
  std::function<void(stream::Bytes)> see{};
  // Called with the size of each piece that was copied: throttling, progress.
  std::function<void(std::uint64_t)> copied{};
  std::stop_token stop{};
  bool sync = false;
};

// Makes `to`, which must not exist, with the bytes, permission bits and times of `from`. A failure leaves a
// part of it under its name: the caller's folder is the unit that appears or not. Returns the number of
// bytes.
std::uint64_t copy_whole_file(const std::filesystem::path& from, const std::filesystem::path& to,
                              const CopyOptions& options);

}  // namespace barman::os
