// The names of the catalogue's files: made and parsed here and nowhere else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"

namespace barman::catalog {

// Annotations of a backup.
inline constexpr std::string_view kKeep = "keep";               // "full" or "standalone"
inline constexpr std::string_view kDeleteThis = "delete_this";  // a deletion is under way
inline constexpr std::string_view kNotCopied =
    "not_copied";  // the bucket lacks what was saved last; only in meta

// In <backup_directory>/meta.
std::string backup_info_name(const BackupId& id);                       // "<id>-backup.info"
std::string annotation_name(const BackupId& id, std::string_view key);  // "<id>-keep"
std::string manifest_name(const BackupId& id);  // "<id>-backup_manifest", of a backup in a bucket

// What a file of meta is for: the id that a record's name gives, whether or not it is an id; nothing if the
// name is not that of a record.
std::optional<std::string> id_in_record_name(std::string_view name);

// The id that the annotation `key` belongs to; nothing if the name is not that of such an annotation.
std::optional<BackupId> id_in_annotation_name(std::string_view name, std::string_view key);

// There while the records of a bucket are taken into meta.
inline constexpr std::string_view kAdopting = "adopting";

// In basebackups_directory: as written before 3.13.2, and in buckets.
std::string old_backup_info_name(const BackupId& id);                       // "<id>/backup.info"
std::string old_annotation_name(const BackupId& id, std::string_view key);  // "<id>/annotations/keep"
std::optional<std::string> key_in_old_annotation_name(std::string_view name);

}  // namespace barman::catalog
