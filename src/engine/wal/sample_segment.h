// Segments as PostgreSQL begins them, and their compressed forms: for tests.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "codec/gzip.h"
#include "pgformat/wal_name.h"
#include "stream/chain.h"
#include "stream/memory.h"

namespace barman::engine {

inline constexpr std::uint64_t kSampleSystem = 7123456789012345678ULL;
inline constexpr std::size_t kSampleSize = 1024 * 1024;

// 1 MB with the long page header of PostgreSQL 15 that fits its name.
inline std::string sample_segment(std::string_view name, std::uint64_t system = kSampleSystem,
                                  char fill = 'x') {
  const auto parsed = pgformat::parse_segment(name).value();
  std::string bytes(kSampleSize, fill);
  const auto put = [&bytes](std::size_t at, auto value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  };
  put(0, std::uint16_t{0xD110});
  put(2, std::uint16_t{0x0002});
  put(4, parsed.timeline);
  put(8, pgformat::start_of(parsed, kSampleSize).value);
  put(24, system);
  put(32, static_cast<std::uint32_t>(kSampleSize));
  put(36, std::uint32_t{8192});
  return bytes;
}

inline std::string gzipped(std::string_view text) {
  std::string out;
  auto path = stream::chain(stream::through([] { return codec::gzip_compressor(6); }),
                            std::make_unique<stream::AppendTo>(out));
  path->write(stream::bytes_of(text));
  path->finish();
  return out;
}

}  // namespace barman::engine
