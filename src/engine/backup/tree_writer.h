// Writes the files of a backup as they are received.
#pragma once

#include <cstdint>
#include <filesystem>

#include "os/direct_writer.h"
#include "os/fd.h"
#include "os/write_back.h"
#include "stream/stream.h"

namespace barman::engine {

// Takes folders, links and files in order, one file at a time. Small files go to the kernel by the caller's
// thread, while their bytes are still in the processor's cache; large ones directly to the disk, where the
// file system can do it. Files are not made durable, but their way to the disk is begun early. Nothing that
// is there is overwritten. Throws kFailed, naming the file. Belongs to one thread.
class TreeWriter {
 public:
  // The folder may exist.
  static void make_directory(const std::filesystem::path& path, mode_t mode);
  static void make_symlink(const std::filesystem::path& path, const std::filesystem::path& target);

  void begin_file(std::filesystem::path path, mode_t mode, std::uint64_t size);
  void write(stream::Bytes data);
  void end_file();
  // All files are written and closed when it returns.
  void finish() { direct_.drain(); }

 private:
  std::filesystem::path path_;
  os::Fd file_;  // none while the direct writer has it
  os::WriteBack write_back_;
  os::DirectWriter direct_;
};

}  // namespace barman::engine
