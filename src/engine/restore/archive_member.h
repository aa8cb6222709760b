// A backup that is kept as tar archives: one of the data directory, one of each tablespace, whatever way they
// are compressed and encrypted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/member.h"
#include "engine/server/archive_name.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman::engine {

// Whether the backup is kept as archives, or should be and they are gone. A data directory is none, whatever
// its record says.
bool is_archived(const Home& home, const catalog::BackupInfo& info);

// Reads as many archives at a time as there are workers. Nothing is written to disk on the way.
class ArchiveMember final : public MemberReader {
 public:
  // Decrypts as `format` does. Throws kCorrupt, naming it, if an archive is missing.
  ArchiveMember(const Home& home, const catalog::BackupInfo& info, WalFormat format);

  std::optional<Known> look_at(const std::string& path, bool is_change) override;
  void read(MemberReceiver& receiver, const MemberReading& reading) override;

 private:
  struct Archive {
    std::filesystem::path place;
    ArchiveName name;
    std::string prefix;  // of its files in the manifest
  };

  void read_archive(const Archive& archive, MemberReceiver& receiver, const MemberReading& reading) const;

  WalFormat format_;
  std::vector<Archive> archives_;
};

}  // namespace barman::engine
