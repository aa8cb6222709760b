// The backup manifest (backup_manifest), version 1 and 2: what files a base backup has, and their checksums.
//
// Source: PostgreSQL documentation, "Backup Manifest Format". Parsed as a stream: memory does not grow with
// the number of files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgformat/lsn.h"

namespace barman::pgformat {

enum class ChecksumKind { kNone, kCrc32c, kSha224, kSha256, kSha384, kSha512 };

// A running checksum of a file's bytes.
class Checksum {
 public:
  explicit Checksum(ChecksumKind kind);
  ~Checksum();
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;

  void update(const std::byte* data, std::size_t size);

  // The digest as lower-case hexadecimal digits, in the byte order of manifests. Ends the checksum. Empty for
  // kNone.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct ManifestFile {
  std::string path{};  // relative to the data directory; decoded from Encoded-Path when that was used
  std::uint64_t size = 0;
  std::string last_modified{};  // as written: "2026-11-22 13:30:02 GMT"
  ChecksumKind kind = ChecksumKind::kNone;
  std::string checksum{};  // lower-case hex, empty for kNone
};

struct ManifestWalRange {
  Timeline timeline = 0;
  Lsn start;
  Lsn end;
};

// What stands around the list of files.
struct ManifestSummary {
  int version = 0;
  std::optional<std::uint64_t> system_identifier{};  // version 2
  std::vector<ManifestWalRange> wal_ranges{};
  std::uint64_t files = 0;
};

// Reads a manifest piece by piece.
class ManifestReader {
 public:
  using VisitFile = std::function<void(const ManifestFile&)>;

  explicit ManifestReader(VisitFile visit);
  ~ManifestReader();

  // Throws kCorrupt as soon as the text cannot be a manifest: also for a path that is not safe below a root.
  void write(std::string_view text);

  // Says that there is no more. Throws kCorrupt if the manifest is cut short or its own checksum
  // (SHA-256 of all that precedes the line of Manifest-Checksum) is wrong.
  [[nodiscard]] ManifestSummary finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// See base/relative_path.h.
bool is_safe_relative_path(std::string_view path);

}  // namespace barman::pgformat
