// A member of a chain that is kept as plain files.
#pragma once

#include <filesystem>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/member.h"
#include "engine/server/home.h"

namespace barman::engine {

class PlainMember final : public MemberReader {
 public:
  PlainMember(const Home& home, const catalog::BackupInfo& info);

  std::optional<Known> look_at(const std::string& path, bool is_change) override;
  void read(MemberReceiver& receiver, const MemberReading& reading) override;

 private:
  struct Root {
    std::filesystem::path folder;
    std::string prefix;  // of its files in the manifest
  };

  [[nodiscard]] std::filesystem::path place_of(const std::string& path) const;

  std::vector<Root> roots_;  // the data directory, then the tablespaces
};

}  // namespace barman::engine
