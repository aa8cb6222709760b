// Restoring a backup from its members: the full backup, then the incremental ones up to it, are applied
// forward in the destination. A full backup that is kept as archives is a chain of one, and may be without a
// manifest if it came so: then all files of its archives are brought back.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/destination.h"
#include "engine/restore/final_files.h"
#include "engine/restore/member.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// How whole files are made from plain ones.
enum class CombineMode {
  kCopy,
  kClone
};  // kClone: share blocks where the file system can, else copy in the kernel

struct ChainPlan {
  std::optional<FinalFiles> files{};  // nothing: there is no manifest
  std::vector<OpenMember> members{};  // from the full backup to the last
  std::uint64_t bytes = 0;            // that will be read
};

// Looks at all members before anything is written: manifests, and whether every file that is needed is there
// with its size, as far as that can be told without reading. Adds to each folder the room that it will need.
// Throws kCorrupt naming what is wrong, and kRefused for a member that lacks the manifest that it needs; one
// that is not to be verified, and is alone, can do without.
ChainPlan plan_chain(const Home& home, const std::vector<catalog::BackupInfo>& chain, bool verify,
                     std::vector<RestoreFolder>& folders, const WalFormat& format = {});

// What the members were taken with differs in a way that shows only later; nothing if not.
std::optional<std::string> chain_warning(const std::vector<catalog::BackupInfo>& chain);

struct ChainCopy {
  const std::vector<catalog::BackupInfo>& chain;
  const ChainPlan& plan;
  const std::vector<RestoreFolder>& folders;
  unsigned workers = 1;
  bool verify = true;
  CombineMode mode = CombineMode::kCopy;
  bool rewrites = false;  // what stands in the folders is written over where it differs
};

// Makes the files in the prepared folders: all of them but for pg_control, which has another name
// (kControlUnderWay). The backup_label is that of a full backup. Returns the number of files that were
// checked.
std::uint64_t copy_chain(const ChainCopy& copy, Pace& pace, const std::stop_token& stop);

}  // namespace barman::engine
