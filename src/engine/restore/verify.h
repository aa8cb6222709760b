// verify-backup: reads a backup, and those that it is built on, and holds every file against the manifests,
// whatever form they are kept in. Writes nothing.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_info.h"
#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

struct VerifyRequest {
  std::vector<catalog::BackupInfo> chain;  // from the full backup to the one that is asked about
  WalFormat format{};                      // to decrypt backups as
  unsigned jobs = 1;
};

// What is wrong with one backup of the chain.
struct MemberProblems {
  std::string directory;              // a path, or in a bucket the front of its keys
  std::vector<std::string> problems;  // the first ones
  std::uint64_t further = 0;          // how many more there are
};

struct VerifyResult {
  std::vector<MemberProblems> damaged;  // empty: all is as the manifests say
  std::uint64_t files = 0;              // that were as they should be
};

// Goes on after a problem, so as to tell all of them. Throws kCancelled on a stop.
VerifyResult verify_backup(const Home& home, const VerifyRequest& request, Clock& clock, Events& events,
                           const std::stop_token& stop);

}  // namespace barman::engine
