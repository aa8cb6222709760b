// What the manifest says of a backup's files, in little memory: sixteen bytes a file, whatever its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "pgformat/manifest.h"

namespace barman::engine {

class ExpectedFiles {
 public:
  // Reads the manifest. Throws kCorrupt if it is damaged, kFailed if it cannot be read.
  explicit ExpectedFiles(const std::filesystem::path& manifest);

  // The checksum that the files have.
  [[nodiscard]] pgformat::ChecksumKind kind() const { return kind_; }

  enum class Verdict { kSame, kDifferent, kUnknown };
  // kUnknown: the manifest does not list the file.
  [[nodiscard]] Verdict compare(std::string_view path, std::uint64_t size, std::string_view checksum) const;

  [[nodiscard]] std::uint64_t files() const { return files_.size(); }

 private:
  struct File {
    std::uint64_t path;      // hashes
    std::uint64_t contents;  // of size and checksum
  };
  std::vector<File> files_;  // ascending by path
  pgformat::ChecksumKind kind_ = pgformat::ChecksumKind::kNone;
};

}  // namespace barman::engine
