// The names of the tar archives that a backup is kept in: base.tar is the data directory, <oid>.tar a
// tablespace; then how it is compressed, then ".gpg" if it is encrypted: "16384.tar.zst.gpg".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/detect.h"

namespace barman::engine {

struct ArchiveName {
  std::string stem;  // "base", or the object id of a tablespace
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
  bool operator==(const ArchiveName&) const = default;
};

inline constexpr std::string_view kBaseArchive = "base";

// Whether this can be the object id of a tablespace.
bool is_tablespace_stem(std::string_view stem);

// Nothing if it is not the name of an archive.
std::optional<ArchiveName> parse_archive_name(std::string_view name);

// Snappy has no name here.
std::string format_archive_name(const ArchiveName& name);

}  // namespace barman::engine
