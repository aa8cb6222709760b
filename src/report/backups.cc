#include "report/backups.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/timestamp.h"

namespace barman::report {

namespace {

using Json = nlohmann::json;
using catalog::RetentionStatus;
using engine::BackupLine;

char type_letter(catalog::BackupType type) {
  constexpr std::array<char, 4> kLetters = {'R', 'F', 'I', 'S'};
  return kLetters.at(static_cast<std::size_t>(type));
}

// What stands at the end of a line, and in JSON: only what is worth a word.
std::string_view retention_text(const BackupLine& line) {
  const RetentionStatus status = line.retention.value_or(RetentionStatus::kNone);
  return format_retention_status(status == RetentionStatus::kValid ? RetentionStatus::kNone : status);
}

std::string end_time_text(const catalog::BackupInfo& info) {
  return info.end_time ? catalog::format_ctime(*info.end_time) : "-";
}

std::string console_line(const std::string& server, const BackupLine& line) {
  const catalog::BackupInfo& info = line.info;
  std::string text = fmt::format("{} {}", server, info.id.text);
  if (info.backup_name) text += fmt::format(" '{}'", *info.backup_name);
  text += fmt::format(" - {} - ", type_letter(backup_type(info)));
  if (!is_available(info)) return text + std::string(format_status(info.status));
  text += fmt::format("{} - Size: {} - WAL Size: {}", end_time_text(info),
                      pretty_size(static_cast<double>(line.size_with_wal())),
                      pretty_size(static_cast<double>(line.wal.until_next.bytes)));
  if (info.status == catalog::BackupStatus::kWaitingForWals) text += " - WAITING_FOR_WALS";
  if (const std::string_view retention = retention_text(line); retention != "-") {
    text += fmt::format(" - {}", retention);
  }
  return text;
}

Json json_of(const BackupLine& line) {
  const catalog::BackupInfo& info = line.info;
  Json json = {{"backup_id", info.id.text},
               {"backup_type", type_name(backup_type(info))},
               {"status", format_status(info.status)}};
  if (info.backup_name) json["backup_name"] = *info.backup_name;
  if (!is_available(info)) return json;
  json["end_time"] = end_time_text(info);
  json["end_time_timestamp"] = info.end_time ? epoch_text(*info.end_time) : "-";
  json["retention_status"] = retention_text(line);
  json["size"] = pretty_size(static_cast<double>(line.size_with_wal()));
  json["size_bytes"] = line.size_with_wal();
  json["wal_size"] = pretty_size(static_cast<double>(line.wal.until_next.bytes));
  json["wal_size_bytes"] = line.wal.until_next.bytes;
  return json;
}

std::string ascii(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

}  // namespace

std::string_view type_name(catalog::BackupType type) {
  constexpr std::array<std::string_view, 4> kNames = {"rsync", "full", "incremental", "snapshot"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::string epoch_text(const catalog::Timestamp& timestamp) {
  return std::to_string(
      std::chrono::floor<std::chrono::seconds>(timestamp.instant).time_since_epoch().count());
}

void report_backups(const engine::BackupList& list, Writer& out) {
  report_warnings(list.server, list.warnings, out);
  if (!out.is_json()) {
    for (const BackupLine& line : list.backups) out.line(console_line(list.server, line));
    return;
  }
  Json all = Json::array();
  for (const BackupLine& line : list.backups) all.push_back(json_of(line));
  out.put({list.server}, ascii(all));
}

void report_backup_ids(const std::string& server, const std::vector<catalog::BackupInfo>& newest_first,
                       Writer& out) {
  Json all = Json::array();
  for (const catalog::BackupInfo& info : newest_first) {
    out.line(info.id.text);
    all.push_back(info.id.text);
  }
  if (out.is_json()) out.put({server}, ascii(all));
}

void report_warnings(const std::string& server, const std::vector<std::string>& warnings, Writer& out) {
  for (const std::string& line : warnings) out.warning(fmt::format("server {}: {}", server, line));
}

}  // namespace barman::report
