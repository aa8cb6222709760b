// Writes large files past the kernel's page cache: the disk works while the bytes come, nothing is left for
// the sync at the end, and what other programs have in that cache stays there.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "os/fd.h"
#include "os/work_ahead.h"
#include "stream/stream.h"

namespace barman::os {

// From this size on a file is worth it.
inline constexpr std::uint64_t kDirectFrom = 1024 * 1024;

// Takes one file after the other. Holds 4 MiB while there is one; a thread of its own waits for the disk.
// What fails there is thrown by a later call, naming the file it was about. Makes nothing durable by itself:
// the sync is the caller's, after drain(). Belongs to one thread. The destructor forgets what has not begun.
class DirectWriter {
 public:
  DirectWriter();
  ~DirectWriter();
  DirectWriter(const DirectWriter&) = delete;
  DirectWriter& operator=(const DirectWriter&) = delete;

  // Whether the file system lets this file be written so; it is as before if not.
  [[nodiscard]] static bool suits(const Fd& file);

  // The file is empty, and suits(). `path` is for messages. Throws kFailed, as all that follow.
  void begin(Fd file, std::filesystem::path path);
  void write(stream::Bytes data);
  void end();

  // Returns when all is written and every file closed.
  void drain();

 private:
  struct File;
  struct Chunk;

  void hand_over(bool is_last);
  Chunk& current();  // the disk is done with it
  void await(Chunk& chunk);

  std::shared_ptr<File> file_;
  std::uint64_t written_ = 0;                     // of the file, without what the current chunk holds
  std::array<std::unique_ptr<Chunk>, 4> chunks_;  // made when they are needed
  std::size_t current_ = 0;
  WorkAhead disk_{1};  // last: it ends before what it writes
};

}  // namespace barman::os
