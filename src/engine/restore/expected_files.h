// What the manifest says of a backup's files, in little memory: sixteen bytes a file, whatever its name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/restore/kept_manifest.h"
#include "pgformat/manifest.h"

namespace barman::engine {

// Only of the files that a restore brings back (left_out.h).
class ExpectedFiles {
 public:
  // Reads the manifest. Throws kCorrupt if it is damaged, kFailed if it cannot be read.
  explicit ExpectedFiles(KeptManifest manifest);

  // The checksum that the files have.
  [[nodiscard]] pgformat::ChecksumKind kind() const { return kind_; }

  enum class Verdict { kSame, kDifferent, kUnknown };
  // kUnknown: the manifest does not list the file.
  [[nodiscard]] Verdict compare(std::string_view path, std::uint64_t size, std::string_view checksum) const;

  [[nodiscard]] std::uint64_t files() const { return files_.size(); }

  // Where the file is among all, for those that are counted by their place; nothing if it is not listed.
  [[nodiscard]] std::optional<std::size_t> place(std::string_view path) const;

  // All paths. Reads the manifest again.
  void visit(const std::function<void(const std::string& path)>& visit) const;

  // The first file that `is_there` denies. Reads the manifest again.
  [[nodiscard]] std::optional<std::string> find_missing(
      const std::function<bool(const std::string& path)>& is_there) const;

 private:
  struct File {
    std::uint64_t path;      // hashes
    std::uint64_t contents;  // of size and checksum
  };
  KeptManifest manifest_;
  std::vector<File> files_;  // ascending by path
  pgformat::ChecksumKind kind_ = pgformat::ChecksumKind::kNone;
};

}  // namespace barman::engine
