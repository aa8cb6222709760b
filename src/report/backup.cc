#include "report/backup.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/python_literal.h"
#include "catalog/timestamp.h"
#include "report/writer.h"

namespace barman::report {

namespace {

using Json = nlohmann::json;

template <class Value>
Json value_or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json time_or_null(const std::optional<catalog::Timestamp>& time) {
  return time ? Json(catalog::format_ctime(*time)) : Json(nullptr);
}

Json lsn_or_null(const std::optional<pgformat::Lsn>& lsn) {
  return lsn ? Json(pgformat::format_lsn(*lsn)) : Json(nullptr);
}

Json json_of(const catalog::Literal& literal) {
  if (const auto* dict = std::get_if<catalog::Literal::Dict>(&literal.value)) {
    Json object = Json::object();
    for (const auto& [key, value] : dict->items) {
      if (const std::string* name = key.text()) object[*name] = json_of(value);
    }
    return object;
  }
  if (const auto* number = std::get_if<double>(&literal.value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&literal.value)) return *number;
  if (const std::string* text = literal.text()) return *text;
  return nullptr;
}

Json ids_or_null(const std::vector<catalog::BackupId>& ids) {
  if (ids.empty()) return nullptr;
  std::string joined;
  for (const catalog::BackupId& id : ids) joined += (joined.empty() ? "" : ",") + id.text;
  return joined;
}

Json tablespaces_or_null(const std::vector<catalog::Tablespace>& tablespaces) {
  if (tablespaces.empty()) return nullptr;
  Json list = Json::array();
  for (const catalog::Tablespace& t : tablespaces) list.push_back(Json::array({t.name, t.oid, t.location}));
  return list;
}

Json record_of(const catalog::BackupInfo& info) {
  Json record = {
      {"backup_id", info.id.text},
      {"backup_label", info.backup_label ? Json(catalog::format_literal(*info.backup_label)) : Json(nullptr)},
      {"begin_offset", value_or_null(info.begin_offset)},
      {"begin_time", time_or_null(info.begin_time)},
      {"begin_wal", value_or_null(info.begin_wal)},
      {"begin_xlog", lsn_or_null(info.begin_xlog)},
      {"children_backup_ids", ids_or_null(info.children_backup_ids)},
      {"cluster_size", value_or_null(info.cluster_size)},
      {"compression", value_or_null(info.compression)},
      {"config_file", value_or_null(info.config_file)},
      {"copy_stats", info.copy_stats ? json_of(catalog::parse_literal(*info.copy_stats)) : Json(nullptr)},
      {"data_checksums", value_or_null(info.data_checksums)},
      {"deduplicated_size", value_or_null(info.deduplicated_size)},
      {"encryption", value_or_null(info.encryption)},
      {"end_offset", value_or_null(info.end_offset)},
      {"end_time", time_or_null(info.end_time)},
      {"end_wal", value_or_null(info.end_wal)},
      {"end_xlog", lsn_or_null(info.end_xlog)},
      {"error", value_or_null(info.error)},
      {"hba_file", value_or_null(info.hba_file)},
      {"ident_file", value_or_null(info.ident_file)},
      {"included_files", info.included_files.empty() ? Json(nullptr) : Json(info.included_files)},
      {"mode", value_or_null(info.mode)},
      {"parent_backup_id", info.parent_backup_id ? Json(info.parent_backup_id->text) : Json(nullptr)},
      {"pgdata", value_or_null(info.pgdata)},
      {"server_name", value_or_null(info.server_name)},
      {"size", value_or_null(info.size)},
      {"status", catalog::format_status(info.status)},
      {"summarize_wal", value_or_null(info.summarize_wal)},
      {"systemid", value_or_null(info.systemid)},
      {"tablespaces", tablespaces_or_null(info.tablespaces)},
      {"timeline", value_or_null(info.timeline)},
      {"version", value_or_null(info.version)},
      {"xlog_segment_size", value_or_null(info.xlog_segment_size)},
  };
  if (info.backup_name) record["backup_name"] = *info.backup_name;
  return record;
}

}  // namespace

void report_backup(const catalog::BackupInfo& info, Writer& out) {
  if (!out.is_json()) return;
  const Json record = record_of(info);
  for (const auto& [key, value] : record.items()) {
    out.put({key}, value.dump(-1, ' ', true, Json::error_handler_t::replace));
  }
}

std::string backup_record_json(const catalog::BackupInfo& info) {
  Json record = record_of(info);
  const auto iso = [](const std::optional<catalog::Timestamp>& time) {
    return time ? Json(iso_text(time->instant, time->offset, 'T')) : Json(nullptr);
  };
  record["begin_time"] = iso(info.begin_time);
  record["end_time"] = iso(info.end_time);
  return record.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace barman::report
