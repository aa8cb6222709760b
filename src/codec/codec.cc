#include "codec/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/error.h"
#include "codec/bzip2.h"
#include "codec/gzip.h"
#include "codec/lz4.h"
#include "codec/snappy.h"
#include "codec/xz.h"
#include "codec/zstd.h"

namespace barman::codec {

namespace {

// In the order of the enumerators.
constexpr std::array kLevels = {
    Levels{.lowest = 1, .highest = 9, .low = 1, .medium = 5, .high = 9, .of_backups = 5},     // bzip2
    Levels{.lowest = 1, .highest = 9, .low = 1, .medium = 6, .high = 9, .of_backups = 6},     // gzip
    Levels{.lowest = 0, .highest = 16, .low = 0, .medium = 6, .high = 10, .of_backups = 0},   // lz4
    Levels{},                                                                                 // snappy
    Levels{.lowest = 1, .highest = 9, .low = 1, .medium = 3, .high = 5, .of_backups = 3},     // xz
    Levels{.lowest = -22, .highest = 22, .low = 1, .medium = 4, .high = 9, .of_backups = 1},  // zstd
};

constexpr std::array kAllKinds = {Compression::kBzip2,  Compression::kGzip, Compression::kLz4,
                                  Compression::kSnappy, Compression::kXz,   Compression::kZstd};

}  // namespace

std::unique_ptr<stream::Filter> compressor(Compression kind, int level, std::optional<std::uint64_t> size) {
  switch (kind) {
    case Compression::kBzip2:
      return bzip2_compressor(level);
    case Compression::kGzip:
      return gzip_compressor(level);
    case Compression::kLz4:
      return lz4_compressor(level);
    case Compression::kSnappy:
      return snappy_compressor();
    case Compression::kXz:
      return xz_compressor(level, size);
    case Compression::kZstd:
      return zstd_compressor(level, size);
  }
  return nullptr;
}

std::unique_ptr<stream::Filter> decompressor(Compression kind) {
  switch (kind) {
    case Compression::kBzip2:
      return bzip2_decompressor();
    case Compression::kGzip:
      return gzip_decompressor();
    case Compression::kLz4:
      return lz4_decompressor();
    case Compression::kSnappy:
      return snappy_decompressor();
    case Compression::kXz:
      return xz_decompressor();
    case Compression::kZstd:
      return zstd_decompressor();
  }
  return nullptr;
}

std::optional<Compression> compression_named(std::string_view name) {
  if (name == "pigz" || name == "pygzip") return Compression::kGzip;
  if (name == "pybzip2") return Compression::kBzip2;
  const auto found = std::ranges::find(kAllKinds, name, name_of);
  return found == kAllKinds.end() ? std::nullopt : std::optional(*found);
}

const Levels& levels_of(Compression kind) { return kLevels[static_cast<std::size_t>(kind)]; }

int level_of(Compression kind, std::string_view setting) {
  const Levels& levels = levels_of(kind);
  std::string word(setting);
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word.empty() || word == "medium") return levels.medium;
  if (word == "low") return levels.low;
  if (word == "high") return levels.high;
  int level = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), level);
  if (end != word.data() + word.size() || error == std::errc::invalid_argument) {
    throw Error(ErrorKind::kUsage,
                fmt::format("'{}' is no level of compression: use low, medium, high or a number", setting));
  }
  if (error == std::errc::result_out_of_range) level = word.front() == '-' ? levels.lowest : levels.highest;
  return std::clamp(level, levels.lowest, levels.highest);
}

}  // namespace barman::codec
