#include "engine/server/archive_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace barman::engine {

namespace {

using codec::Compression;

constexpr std::array<std::pair<std::string_view, Compression>, 5> kArchiveSuffixes = {
    {{".gz", Compression::kGzip},
     {".lz4", Compression::kLz4},
     {".zst", Compression::kZstd},
     {".bz2", Compression::kBzip2},
     {".xz", Compression::kXz}}};

bool take_suffix(std::string_view& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.remove_suffix(suffix.size());
  return true;
}

}  // namespace

bool is_tablespace_stem(std::string_view stem) {
  constexpr std::size_t kMostDigits = 10;
  return !stem.empty() && stem.size() <= kMostDigits && stem.front() != '0' &&
         std::ranges::all_of(stem, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<ArchiveName> parse_archive_name(std::string_view name) {
  ArchiveName parsed{.stem = {}};
  parsed.encrypted = take_suffix(name, ".gpg");
  for (const auto& [suffix, compression] : kArchiveSuffixes) {
    if (parsed.compression || !take_suffix(name, suffix)) continue;
    parsed.compression = compression;
  }
  if (!take_suffix(name, ".tar")) return std::nullopt;
  if (name != kBaseArchive && !is_tablespace_stem(name)) return std::nullopt;
  parsed.stem = name;
  return parsed;
}

std::string format_archive_name(const ArchiveName& name) {
  std::string text = name.stem + ".tar";
  for (const auto& [suffix, compression] : kArchiveSuffixes) {
    if (name.compression == compression) text += suffix;
  }
  if (name.encrypted) text += ".gpg";
  return text;
}

}  // namespace barman::engine
