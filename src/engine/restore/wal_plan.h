// Which archived WAL goes with a restore, and whether it is all there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "catalog/xlogdb.h"
#include "engine/restore/target.h"
#include "engine/server/home.h"
#include "engine/wal/wal_archive.h"

namespace barman::engine {

struct WalCopy {
  std::optional<WalFile> archived{};  // else what is being received:
  std::filesystem::path received{};
  std::string name;        // at the destination
  std::uint64_t size = 0;  // at the destination, at most
};

struct WalPlan {
  std::vector<WalCopy> files;
  std::uint64_t bytes = 0;
  std::vector<std::string> warnings;
  bool has_partial = false;
  pgformat::Timeline followed = 0;  // the timeline that the target means
  // Set when the server itself would take another timeline for the latest: the archive has histories that do
  // not lead through the backup, or lacks one.
  std::optional<pgformat::Timeline> timeline{};
};

struct WalWishes {
  bool partial = false;  // segments that are not complete come along, under their full names
  bool fetched = false;  // by the server while it recovers: nothing is copied, and more may arrive until then
};

// The timeline that a word means: "current" the backup's, "latest" the highest archived that descends from
// it, or a number. Without a word: as "latest" (PostgreSQL's own default since 12). Throws kUsage for any
// other word, kRefused for a timeline without a history that leads there.
pgformat::Timeline resolve_timeline(const Home& home, const catalog::BackupInfo& info,
                                    const std::optional<std::string>& word,
                                    const std::vector<catalog::WalEntry>& index,
                                    const WalFormat& format = {});

// Throws kRefused if a segment is missing in the middle of what recovery needs, naming it; kCorrupt if one is
// not as the index says; kFailed if a history is encrypted and `format` cannot decrypt it. A gap that
// recovery will not come to is a warning: behind a target time, or at the end when WAL is fetched.
WalPlan plan_wal(const Home& home, const catalog::BackupInfo& info, const RecoveryTarget& target,
                 WalWishes wishes, const std::vector<catalog::WalEntry>& index, const WalFormat& format = {});

}  // namespace barman::engine
