// Makes all that was written to a file system durable with one call: for trees, many times faster than a call
// a file.
#pragma once

#include <filesystem>

#include "os/fd.h"

namespace barman::os {

// Open it before the first byte is written: finish() reports every failure to store since then (Linux 5.8 and
// later).
class FileSystemSync {
 public:
  // `folder` exists. Throws kFailed.
  explicit FileSystemSync(const std::filesystem::path& folder);

  // Returns when everything is stored. Throws kFailed if anything on the file system could not be.
  void finish();

 private:
  std::filesystem::path folder_;
  Fd fd_;
};

}  // namespace barman::os
