// What arrived of a backup, to be held against its manifest.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "pgformat/manifest.h"
#include "stream/stream.h"

namespace barman::engine {

// Remembers 24 bytes for each file: a digest of its path, its size and its CRC-32C.
class ReceivedFiles {
 public:
  // One file, as it arrives. `path` as manifests have it: below the data directory.
  void begin(std::string_view path);
  void data(stream::Bytes bytes);
  void end();

  [[nodiscard]] std::uint64_t files() const { return records_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Marks the file that a line of the manifest lists as accounted for. Throws kCorrupt, naming it, if it
  // did not arrive, or not with that size and checksum. No file may arrive after the first call.
  void account(const pgformat::ManifestFile& listed);

  // Whether a file arrived that no line of the manifest listed.
  [[nodiscard]] bool has_unlisted() const;

  // The path of a file that arrived and that no line of the manifest listed, found again below `data`;
  // nothing if there is none.
  [[nodiscard]] std::optional<std::string> find_unlisted(const std::filesystem::path& data);

 private:
  struct Record {
    std::uint64_t path = 0;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
    bool accounted = false;
  };

  using Records = std::deque<Record>;  // no vector: it would need twice the room while it grows

  void sort();
  std::pair<Records::iterator, Records::iterator> same_path(std::string_view path);

  Records records_;
  Record current_;
  std::uint64_t bytes_ = 0;
  bool sorted_ = false;
};

}  // namespace barman::engine
