// Makes all that was written to a file system durable with one call: for trees, many times faster than a call
// a file.
#pragma once

#include <filesystem>
#include <stop_token>

#include "os/fd.h"

namespace barman::os {

// Open it before the first byte is written: finish() reports every failure to store since then. Kernels
// before Linux 5.8 do not report them for a file system: there it is a call a file after all.
class FileSystemSync {
 public:
  // `folder` exists. Throws kFailed.
  explicit FileSystemSync(const std::filesystem::path& folder);

  // Returns when everything below the folder is stored. Throws kFailed if anything on the file system could
  // not be.
  void finish(const std::stop_token& stop = {});

 private:
  std::filesystem::path folder_;
  Fd fd_;
};

}  // namespace barman::os
