#include "pgformat/control_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pgformat/crc32c.h"
#include "pgformat/little_endian.h"

namespace barman::pgformat {

namespace {

// PG_CONTROL_VERSION is the major version that changed the layout, times 100. Versions 13 to 16 use 1300.
constexpr std::uint32_t kOldest = 1300;
constexpr std::uint32_t kNewestThinkable = 9900;

// The CRC is the last field, behind 288 bytes up to PostgreSQL 17, and a few more later. Those in front of
// all other places have another CRC than what stands there.
constexpr std::size_t kShortest = 256;
constexpr std::size_t kLongest = 512;  // a sector: so that it is written whole

}  // namespace

ControlFile parse_control_file(std::span<const std::byte> bytes) {
  if (bytes.size() < 16) {
    throw Error(ErrorKind::kCorrupt, fmt::format("pg_control: only {} bytes", bytes.size()));
  }
  const ControlFile file{.system_identifier = little_endian<std::uint64_t>(bytes, 0),
                         .control_version = little_endian<std::uint32_t>(bytes, 8),
                         .catalog_version = little_endian<std::uint32_t>(bytes, 12)};
  if (file.control_version < kOldest || file.control_version > kNewestThinkable) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("pg_control: version {} is not one of PostgreSQL 13 or newer on a little-endian machine",
                    file.control_version));
  }
  return file;
}

bool is_whole_control_file(std::span<const std::byte> bytes) {
  for (std::size_t end = kShortest; end + 4 <= std::min(bytes.size(), kLongest); end += 4) {
    if (crc32c(0, bytes.data(), end) == little_endian<std::uint32_t>(bytes, end)) return true;
  }
  return false;
}

}  // namespace barman::pgformat
