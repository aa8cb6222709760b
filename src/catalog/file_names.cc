#include "catalog/file_names.h"

namespace barman::catalog {

namespace {

constexpr std::string_view kRecord = "-backup.info";
constexpr std::string_view kAnnotations = "/annotations/";

}  // namespace

std::string backup_info_name(const BackupId& id) { return id.text + std::string(kRecord); }

std::string annotation_name(const BackupId& id, std::string_view key) {
  return id.text + "-" + std::string(key);
}

std::string manifest_name(const BackupId& id) { return id.text + "-backup_manifest"; }

std::optional<std::string> id_in_record_name(std::string_view name) {
  if (!name.ends_with(kRecord) || name.size() == kRecord.size()) return std::nullopt;
  return std::string(name.substr(0, name.size() - kRecord.size()));
}

std::optional<BackupId> id_in_annotation_name(std::string_view name, std::string_view key) {
  if (name.size() < 15) return std::nullopt;
  BackupId id{std::string(name.substr(0, 15))};
  if (!is_backup_id(id.text) || name != annotation_name(id, key)) return std::nullopt;
  return id;
}

std::string old_backup_info_name(const BackupId& id) { return id.text + "/backup.info"; }

std::string old_annotation_name(const BackupId& id, std::string_view key) {
  return id.text + std::string(kAnnotations) + std::string(key);
}

std::optional<std::string> key_in_old_annotation_name(std::string_view name) {
  const auto at = name.find(kAnnotations);
  if (at == std::string_view::npos || at != name.find('/')) return std::nullopt;
  const std::string_view key = name.substr(at + kAnnotations.size());
  if (key.empty() || key.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(key);
}

}  // namespace barman::catalog
