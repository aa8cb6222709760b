// Copies the files of a backup to where they are restored: in parallel, checked against the manifest on the
// way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

#include "engine/restore/destination.h"

namespace barman {
class Clock;
}

namespace barman::engine {

class ExpectedFiles;

struct CopyPlan {
  unsigned workers = 1;
  std::optional<std::uint64_t> bytes_per_second{};
  const ExpectedFiles* expected = nullptr;      // none: bytes are not looked at
  std::function<void(std::uint64_t)> copied{};  // the total so far
  bool rewrites = false;                        // files that are there already are written where they differ
};

struct Copied {
  std::uint64_t bytes = 0;
  std::uint64_t checked_files = 0;  // found as the manifest says
  std::uint64_t odd_entries = 0;    // links, pipes, sockets: not copied
  std::filesystem::path odd{};      // one of them
};

// Copies `folder.from` to `folder.to`, which is prepared. Left out: what left_out.h says, pg_control (the
// caller's last step), links of tablespaces. Throws kCorrupt, naming the file, for one that differs from the
// manifest or is not in it; kCancelled on `stop`.
Copied copy_folder(const RestoreFolder& folder, const CopyPlan& plan, Clock& clock,
                   const std::stop_token& stop);

}  // namespace barman::engine
