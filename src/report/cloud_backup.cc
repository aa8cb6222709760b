#include "report/cloud_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "catalog/python_literal.h"
#include "catalog/timestamp.h"
#include "engine/show/backups.h"
#include "pgformat/lsn.h"
#include "report/backup_page.h"

namespace barman::report {
namespace {

using catalog::BackupInfo;
using catalog::BackupStatus;
using CloudRecord = nlohmann::ordered_json;

std::string row_of(const BackupInfo& info, const std::string& archival) {
  std::string end;
  if (info.end_time) {
    const std::string text = catalog::format_timestamp(*info.end_time);
    end = text.substr(0, text.find_first_of(".+"));
    constexpr std::size_t kSeconds = 19;  // "2026-11-22 13:30:01"
    end.resize(std::min(end.size(), kSeconds));
  }
  return fmt::format("{:<20}{:<25}{:<30}{:<17}{:<20}\n", info.id.text, end, info.begin_wal.value_or(""),
                     archival, info.backup_name.value_or(""));
}

std::string archival_of(const BackupInfo& info, const std::map<catalog::BackupId, std::string>& kept) {
  if (info.status != BackupStatus::kDone) return std::string(catalog::format_status(info.status));
  const auto keep = kept.find(info.id);
  if (keep == kept.end()) return {};
  return keep->second == "full" ? "KEEP:FULL" : "KEEP:STANDALONE";
}

CloudRecord literal_record(const catalog::Literal& literal) {
  if (const auto* list = literal.items()) {
    CloudRecord array = CloudRecord::array();
    for (const catalog::Literal& one : *list) array.push_back(literal_record(one));
    return array;
  }
  if (const auto* dict = std::get_if<catalog::Literal::Dict>(&literal.value)) {
    CloudRecord object = CloudRecord::object();
    for (const auto& [key, value] : dict->items) {
      object[key.text() != nullptr ? *key.text() : catalog::format_literal(key)] = literal_record(value);
    }
    return object;
  }
  if (const auto* text = literal.text()) return *text;
  if (const auto* flag = std::get_if<bool>(&literal.value)) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&literal.value)) return *number;
  if (const auto* number = std::get_if<double>(&literal.value)) return *number;
  return nullptr;
}

CloudRecord json_of_dict(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  try {
    return literal_record(catalog::parse_literal(*text));
  } catch (const Error&) {
    return *text;
  }
}

template <class Value>
CloudRecord value_record(const std::optional<Value>& value) {
  return value ? CloudRecord(*value) : CloudRecord();
}
CloudRecord lsn_record(const std::optional<pgformat::Lsn>& lsn) {
  return lsn ? CloudRecord(format_lsn(*lsn)) : CloudRecord();
}
CloudRecord ctime_or_null(const std::optional<catalog::Timestamp>& time) {
  return time ? CloudRecord(catalog::format_ctime(*time)) : CloudRecord();
}

CloudRecord children_of(const BackupInfo& info) {
  CloudRecord ids;
  for (const catalog::BackupId& id : info.children_backup_ids) ids.push_back(id.text);
  return ids;
}

CloudRecord tablespaces_of(const BackupInfo& info) {
  CloudRecord all;
  for (const catalog::Tablespace& one : info.tablespaces) all.push_back({one.name, one.oid, one.location});
  return all;
}

void put_iso(CloudRecord& record, const char* key, const std::optional<catalog::Timestamp>& time) {
  if (time) record[key] = iso_text(time->instant, time->offset, 'T');
}

// The fields of backup.info in their order, then what programs add to them.
CloudRecord backup_record(const BackupInfo& info) {
  CloudRecord record;
  record["backup_label"] =
      info.backup_label ? CloudRecord(catalog::format_literal(*info.backup_label)) : CloudRecord();
  if (info.backup_name) record["backup_name"] = *info.backup_name;
  record["begin_offset"] = value_record(info.begin_offset);
  record["begin_time"] = ctime_or_null(info.begin_time);
  record["begin_wal"] = value_record(info.begin_wal);
  record["begin_xlog"] = lsn_record(info.begin_xlog);
  record["children_backup_ids"] = children_of(info);
  record["cluster_size"] = value_record(info.cluster_size);
  record["compression"] = value_record(info.compression);
  record["config_file"] = value_record(info.config_file);
  record["copy_stats"] = json_of_dict(info.copy_stats);
  record["data_checksums"] = value_record(info.data_checksums);
  record["deduplicated_size"] = value_record(info.deduplicated_size);
  record["encryption"] = value_record(info.encryption);
  record["end_offset"] = value_record(info.end_offset);
  record["end_time"] = ctime_or_null(info.end_time);
  record["end_wal"] = value_record(info.end_wal);
  record["end_xlog"] = lsn_record(info.end_xlog);
  record["error"] = value_record(info.error);
  record["hba_file"] = value_record(info.hba_file);
  record["ident_file"] = value_record(info.ident_file);
  record["included_files"] = info.included_files.empty() ? CloudRecord() : CloudRecord(info.included_files);
  record["mode"] = value_record(info.mode);
  record["parent_backup_id"] =
      info.parent_backup_id ? CloudRecord(info.parent_backup_id->text) : CloudRecord();
  record["pgdata"] = value_record(info.pgdata);
  record["server_name"] = value_record(info.server_name);
  record["size"] = value_record(info.size);
  if (info.snapshots_info) record["snapshots_info"] = json_of_dict(info.snapshots_info);
  record["status"] = catalog::format_status(info.status);
  record["summarize_wal"] = value_record(info.summarize_wal);
  record["systemid"] = value_record(info.systemid);
  record["tablespaces"] = tablespaces_of(info);
  record["timeline"] = value_record(info.timeline);
  record["version"] = value_record(info.version);
  record["xlog_segment_size"] = value_record(info.xlog_segment_size);
  record["backup_id"] = info.id.text;
  put_iso(record, "begin_time_iso", info.begin_time);
  put_iso(record, "end_time_iso", info.end_time);
  return record;
}

std::string dumped(const CloudRecord& record) {
  return record.dump(-1, ' ', /*ensure_ascii=*/true, CloudRecord::error_handler_t::replace) + "\n";
}

void put_base(const BackupInfo& info, BackupPage& page) {
  page.header("Base backup information");
  page.nested_if("Backup Method", info.mode);
  if (info.size) page.nested("Backup Size", pretty_size(static_cast<double>(*info.size)));
  page.nested_if("Timeline", info.timeline);
  page.nested_if("Begin WAL", info.begin_wal);
  page.nested_if("End WAL", info.end_wal);
  if (info.begin_time) page.nested("Begin time", catalog::format_timestamp(*info.begin_time));
  if (info.end_time) page.nested("End time", catalog::format_timestamp(*info.end_time));
  const engine::CopyStats copy = engine::copy_stats_of(info);
  if (copy.copy_seconds) {
    page.nested(
        "Copy time",
        human_duration(std::chrono::microseconds(static_cast<std::int64_t>(*copy.copy_seconds * 1e6))));
  }
  page.nested_if("Begin Offset", info.begin_offset);
  page.nested_if("End Offset", info.end_offset);
  if (info.begin_xlog) page.nested("Begin LSN", format_lsn(*info.begin_xlog));
  if (info.end_xlog) page.nested("End LSN", format_lsn(*info.end_xlog));
  page.end_block();
}

}  // namespace

std::string cloud_list_text(const std::vector<BackupInfo>& backups,
                            const std::map<catalog::BackupId, std::string>& kept) {
  std::string text = fmt::format("{:<20}{:<25}{:<30}{:<17}{:<20}\n", "Backup ID", "End Time", "Begin Wal",
                                 "Archival Status", "Name");
  for (const BackupInfo& info : backups) text += row_of(info, archival_of(info, kept));
  return text;
}

std::string cloud_list_json(const std::vector<BackupInfo>& backups) {
  CloudRecord all = CloudRecord::array();
  for (const BackupInfo& info : backups) all.push_back(backup_record(info));
  return dumped({{"backups_list", all}});
}

std::string cloud_backup_text(const BackupInfo& info) {
  std::string text = fmt::format("Backup {}:\n", info.id.text);
  BackupPage page([&text](const std::string& line) { text += line + "\n"; });
  page.head(info, info.server_name.value_or("None"));
  if (catalog::is_available(info)) {
    page.tablespaces(info);
    put_base(info, page);
  } else if (info.error) {
    page.row("Error", *info.error);
  }
  return text;
}

std::string cloud_backup_json(const BackupInfo& info) {
  return dumped({{info.server_name.value_or("cloud"), backup_record(info)}});
}

}  // namespace barman::report
