// A member of a chain that is kept as plain files.
#pragma once

#include <filesystem>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/restore/member.h"
#include "engine/server/home.h"

namespace barman::engine {

class Pace;

class PlainMember final : public MemberReader {
 public:
  // Reads with `workers` threads, at the given pace.
  PlainMember(const Home& home, const catalog::BackupInfo& info, unsigned workers, Pace& pace);

  void read(MemberReceiver& receiver, const std::stop_token& stop) override;

 private:
  struct Root {
    std::filesystem::path folder;
    std::string prefix;  // of its files in the manifest
  };
  struct Found {
    std::filesystem::path place;
    MemberFile file;
  };

  void copy(const std::vector<Found>& batch, MemberReceiver& receiver, const std::stop_token& stop);
  void copy_one(const Found& found, MemberReceiver& receiver, const std::stop_token& stop);

  std::vector<Root> roots_;
  unsigned workers_;
  Pace& pace_;
};

// Where a plain backup keeps the file that its manifest calls `path`.
std::filesystem::path plain_place(const Home& home, const catalog::BackupInfo& info, const std::string& path);

}  // namespace barman::engine
