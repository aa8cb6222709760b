// Writes a backup manifest as a server would, file by file.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "pgformat/manifest.h"

namespace barman::pgformat {

// Of version 2 if there is a system identifier, else 1.
class ManifestWriter {
 public:
  using Write = std::function<void(std::string_view)>;

  // What `write` is given, one piece after the other, is the manifest.
  ManifestWriter(Write write, std::optional<std::uint64_t> system_identifier);

  void file(const ManifestFile& file);
  // Ends the manifest with its own checksum. The last call.
  void finish(const std::vector<ManifestWalRange>& ranges);

 private:
  void put(std::string_view text);

  Write write_;
  Checksum checksum_{ChecksumKind::kSha256};
  bool first_ = true;
};

// "2026-11-22 13:30:02 GMT"
std::string format_manifest_time(std::chrono::sys_seconds time);

}  // namespace barman::pgformat
