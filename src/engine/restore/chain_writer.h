// Writes one member of a chain over what the members before it have made in the destination.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/restore/destination.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/final_files.h"
#include "engine/restore/member.h"

namespace barman::engine {

// What a member's files are written to, and held against.
struct ChainMember {
  const std::vector<RestoreFolder>& folders;
  const FinalFiles& files;
  std::size_t number = 0;  // in the chain
  std::string name;        // of the backup, for messages
  bool is_last = false;
  const ExpectedFiles* expected = nullptr;  // none: bytes are not looked at
  bool clones = false;    // whole files come into being in the kernel, where they have a place
  bool rewrites = false;  // files of the destination are written where they differ
};

// Whole files are made, incremental ones applied; what a later member replaces is passed over. A file may
// come twice, as the original's archives have some: each time it must be as the manifest says. pg_control is
// written under another name (kControlUnderWay).
class ChainWriter final : public MemberReceiver {
 public:
  explicit ChainWriter(ChainMember member);
  ~ChainWriter() override;

  void directory(const std::string& path, unsigned mode) override;
  std::unique_ptr<stream::Sink> file(const MemberFile& file) override;

  // Throws kCorrupt, naming it, if a file that is needed of this member has not come, and returns how many
  // have.
  [[nodiscard]] std::uint64_t require_all() const;

 private:
  void clone(const MemberFile& file, const std::filesystem::path& to) const;

  class WholeFile;
  class ReplacedFile;
  class ChangedFile;

  ChainMember member_;
  std::unique_ptr<std::atomic<bool>[]> seen_;  // by place in files
};

// Makes a folder of the backup, which its owner may use whatever the backup says.
void make_restored_directory(const std::vector<RestoreFolder>& folders, const std::string& path,
                             unsigned mode);

// Where the file that manifests call `path` goes.
std::filesystem::path restored_place(const std::vector<RestoreFolder>& folders, const std::string& path);

}  // namespace barman::engine
