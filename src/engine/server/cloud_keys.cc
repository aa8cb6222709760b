#include "engine/server/cloud_keys.h"

#include <fmt/format.h>

#include <utility>

#include "catalog/file_names.h"

namespace barman::engine {
namespace {

using codec::Compression;

constexpr std::string_view kTar = ".tar";
constexpr std::string_view kEncrypted = ".gpg";
constexpr std::string_view kTrial = ".barman-check-";

constexpr std::pair<std::string_view, Compression> kSuffixes[] = {
    {".bz2", Compression::kBzip2},     {".gz", Compression::kGzip}, {".lz4", Compression::kLz4},
    {".snappy", Compression::kSnappy}, {".xz", Compression::kXz},   {".zst", Compression::kZstd},
};

bool cut_suffix(std::string_view& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.remove_suffix(suffix.size());
  return true;
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The number behind the last "_"; nothing if that is none of ours.
std::optional<unsigned> number_in(std::string_view digits) {
  constexpr std::size_t kFewest = 4;
  constexpr std::size_t kMost = 9;
  const bool is_number = digits.size() >= kFewest && digits.size() <= kMost &&
                         digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number) return std::nullopt;
  const auto number = static_cast<unsigned>(std::stoul(std::string(digits)));
  return number == 0 ? std::nullopt : std::optional(number);
}

}  // namespace

std::string_view cloud_suffix(Compression compression) {
  for (const auto& [suffix, kind] : kSuffixes) {
    if (kind == compression) return suffix;
  }
  return {};
}

CloudName without_cloud_suffix(std::string_view name) {
  const bool encrypted = cut_suffix(name, kEncrypted);
  for (const auto& [suffix, kind] : kSuffixes) {
    if (name.ends_with(suffix))
      return {std::string(name.substr(0, name.size() - suffix.size())), kind, encrypted};
  }
  return {std::string(name), {}, encrypted};
}

std::string cloud_wal_folder(std::string_view folder) {
  return fmt::format("{}/{}{}", kCloudWals, folder, folder.empty() ? "" : "/");
}

std::string wal_key(const pgformat::WalName& parsed, std::string_view name,
                    std::optional<Compression> compression, bool encrypted) {
  return fmt::format("{}{}{}{}", cloud_wal_folder(pgformat::hash_directory(parsed)), name,
                     compression ? cloud_suffix(*compression) : "", encrypted ? kEncrypted : "");
}

std::optional<CloudWal> parse_wal_key(std::string_view key) {
  const std::string_view base = key.substr(key.rfind('/') + 1);
  CloudName name = without_cloud_suffix(base);
  const auto parsed = pgformat::parse_wal_name(name.plain);
  if (!parsed || wal_key(*parsed, base, {}) != key) return std::nullopt;
  return CloudWal{.key = std::string(key),
                  .name = std::move(name.plain),
                  .parsed = *parsed,
                  .compression = name.compression,
                  .encrypted = name.encrypted};
}

std::string backup_folder(const catalog::BackupId& id) {
  return fmt::format("{}/{}/", kCloudBackups, id.text);
}

std::string backup_info_key(const catalog::BackupId& id) {
  return fmt::format("{}/{}", kCloudBackups, catalog::old_backup_info_name(id));
}

std::string manifest_key(const catalog::BackupId& id) { return backup_folder(id) + "backup_manifest"; }

std::string annotation_key(const catalog::BackupId& id, std::string_view name) {
  return fmt::format("{}/{}", kCloudBackups, catalog::old_annotation_name(id, name));
}

std::string archive_key(const catalog::BackupId& id, const CloudArchiveName& name) {
  return fmt::format("{}{}{}{}{}{}", backup_folder(id), name.stem,
                     name.number == 0 ? "" : fmt::format("_{:04}", name.number), kTar,
                     name.compression ? cloud_suffix(*name.compression) : "",
                     name.encrypted ? kEncrypted : "");
}

std::optional<CloudArchiveName> parse_cloud_archive_name(std::string_view name) {
  const CloudName inner = without_cloud_suffix(name);
  CloudArchiveName parsed{.stem = {}, .compression = inner.compression, .encrypted = inner.encrypted};
  std::string_view stem = inner.plain;
  if (!cut_suffix(stem, kTar) || stem.empty() || stem.find('/') != std::string_view::npos) {
    return std::nullopt;
  }
  if (const std::size_t mark = stem.rfind('_'); mark != std::string_view::npos && mark > 0) {
    const auto number = number_in(stem.substr(mark + 1));
    if (!number) return std::nullopt;
    parsed.number = *number;
    stem = stem.substr(0, mark);
  }
  parsed.stem = stem;
  return parsed;
}

std::optional<catalog::BackupId> backup_of_key(std::string_view key) {
  if (!cut_prefix(key, kCloudBackups) || !cut_prefix(key, "/")) return std::nullopt;
  const std::size_t slash = key.find('/');
  const std::string_view id = key.substr(0, slash);
  if (slash == std::string_view::npos || !catalog::is_backup_id(id)) return std::nullopt;
  return catalog::BackupId{std::string(id)};
}

std::string trial_key(std::string_view folder, std::string_view tail) {
  return fmt::format("{}/{}{}", folder, kTrial, tail);
}

bool is_trial_key(std::string_view key) {
  if (!cut_prefix(key, kCloudBackups) && !cut_prefix(key, kCloudWals)) return false;
  if (!cut_prefix(key, "/") || !cut_prefix(key, kTrial) || key.empty()) return false;
  constexpr std::string_view kDigits = "0123456789";
  return kDigits.find(key.front()) != std::string_view::npos &&
         key.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

}  // namespace barman::engine
