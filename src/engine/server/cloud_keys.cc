#include "engine/server/cloud_keys.h"

#include <fmt/format.h>

#include <utility>

namespace barman::engine {
namespace {

using codec::Compression;

constexpr std::pair<std::string_view, Compression> kSuffixes[] = {
    {".bz2", Compression::kBzip2},     {".gz", Compression::kGzip}, {".lz4", Compression::kLz4},
    {".snappy", Compression::kSnappy}, {".xz", Compression::kXz},   {".zst", Compression::kZstd},
};

}  // namespace

std::string_view cloud_suffix(Compression compression) {
  for (const auto& [suffix, kind] : kSuffixes) {
    if (kind == compression) return suffix;
  }
  return {};
}

CloudName without_cloud_suffix(std::string_view name) {
  for (const auto& [suffix, kind] : kSuffixes) {
    if (name.ends_with(suffix)) return {std::string(name.substr(0, name.size() - suffix.size())), kind};
  }
  return {std::string(name), {}};
}

std::string wal_key(const pgformat::WalName& parsed, std::string_view name,
                    std::optional<Compression> compression) {
  const std::string folder = pgformat::hash_directory(parsed);
  return fmt::format("{}/{}{}{}{}", kCloudWals, folder, folder.empty() ? "" : "/", name,
                     compression ? cloud_suffix(*compression) : "");
}

std::optional<CloudWal> parse_wal_key(std::string_view key) {
  const std::string_view base = key.substr(key.rfind('/') + 1);
  CloudName name = without_cloud_suffix(base);
  const auto parsed = pgformat::parse_wal_name(name.plain);
  if (!parsed || wal_key(*parsed, base, {}) != key) return std::nullopt;
  return CloudWal{.key = std::string(key),
                  .name = std::move(name.plain),
                  .parsed = *parsed,
                  .compression = name.compression};
}

std::string backup_folder(const catalog::BackupId& id) {
  return fmt::format("{}/{}/", kCloudBackups, id.text);
}

std::string backup_info_key(const catalog::BackupId& id) { return backup_folder(id) + "backup.info"; }

std::string annotation_key(const catalog::BackupId& id, std::string_view name) {
  return fmt::format("{}annotations/{}", backup_folder(id), name);
}

}  // namespace barman::engine
