// A file that gets new contents: bytes that are as they should be are left alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "os/fd.h"
#include "stream/stream.h"

namespace barman::engine {

class RewrittenFile {
 public:
  // Opens the file if it is there, else makes it and the folders above it. Throws kFailed.
  explicit RewrittenFile(std::filesystem::path path);

  // The next bytes of the new contents. They are held against what the file has, and written where they
  // differ: neither the file's blocks nor its times change for bytes that are the same.
  void write(stream::Bytes data);

  // Ends the contents: what the file had beyond them is cut off.
  void close(unsigned mode);

 private:
  void write_piece(stream::Bytes piece);
  [[nodiscard]] std::size_t read_old(std::size_t size);

  std::filesystem::path path_;
  os::Fd fd_;
  std::uint64_t offset_ = 0;
  std::uint64_t old_size_ = 0;
  std::vector<std::byte> old_;
};

// Makes a file, and the folders above it. Nothing if there is one: several archives may have it, and another
// thread was faster. Throws kFailed.
os::Fd create_restored(const std::filesystem::path& path);

}  // namespace barman::engine
