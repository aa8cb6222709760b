#include "report/backup_details.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/timestamp.h"
#include "pgformat/lsn.h"
#include "report/backup_page.h"
#include "report/backups.h"

namespace barman::report {

namespace {

using Json = nlohmann::json;
using catalog::BackupInfo;
using catalog::BackupType;
using engine::BackupDetails;

// As the Python Barman words it, run of blanks included: programs compare it.
constexpr std::string_view kJsonTimelineWarning =
    "WAL information is inaccurate                     due to multiple timelines interacting with"
    "                     this backup";
constexpr std::string_view kTimelineWarning =
    "WAL information is inaccurate due to multiple timelines interacting with this backup";

std::string size_text(double bytes) { return pretty_size(bytes); }
std::string size_text(std::uint64_t bytes) { return pretty_size(static_cast<double>(bytes)); }

std::string duration_text(double seconds) {
  return human_duration(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

// What both forms print, worked out once.
struct Figures {
  explicit Figures(const BackupDetails& details);

  std::uint64_t stored = 0;  // of the backup's own
  std::uint64_t with_wal = 0;
  std::optional<double> saved{};  // of rsync and incremental backups
  double saved_percent = 0;
  double own_wal_ratio = 0;  // saved by compression, in percent
  double later_wal_ratio = 0;
  double wal_per_second = 0;
  std::optional<std::uint64_t> throughput{};
};

double compression_ratio(const catalog::WalTotal& wal, std::uint64_t segment_size) {
  if (wal.files == 0 || segment_size == 0) return 0;
  const double plain = static_cast<double>(wal.files) * static_cast<double>(segment_size);
  return (1 - static_cast<double>(wal.bytes) / plain) * 100;
}

Figures::Figures(const BackupDetails& details) {
  const BackupInfo& info = details.info;
  const BackupType type = backup_type(info);
  stored = info.deduplicated_size.value_or(info.size.value_or(0));
  with_wal = stored + details.wal.own.bytes;
  if (type == BackupType::kRsync || type == BackupType::kIncremental) {
    const std::uint64_t whole = (type == BackupType::kRsync ? info.size : info.cluster_size).value_or(0);
    const double ratio = whole == 0 ? 0 : 1 - static_cast<double>(stored) / static_cast<double>(whole);
    saved = whole == 0 ? 0 : static_cast<double>(whole) - static_cast<double>(stored);
    saved_percent = ratio * 100;
  }
  const std::uint64_t segment = info.xlog_segment_size.value_or(pgformat::kDefaultSegmentSize);
  own_wal_ratio = compression_ratio(details.wal.own, segment);
  later_wal_ratio = compression_ratio(details.wal.until_next, segment);
  const auto files = static_cast<double>(details.wal.own.files + details.wal.until_next.files);
  if (details.wal.seconds > 0) wal_per_second = files / details.wal.seconds;
  if (details.copy.copy_seconds && *details.copy.copy_seconds > 0) {
    throughput = static_cast<std::uint64_t>(static_cast<double>(stored) / *details.copy.copy_seconds);
  }
}

std::string neighbour_text(const std::optional<catalog::BackupId>& id, std::string_view end) {
  return id ? id->text : fmt::format("- (this is the {} base backup)", end);
}

std::string retention_text(const BackupDetails& details) {
  return details.retention ? std::string(format_retention_status(*details.retention)) : "not enforced";
}

std::string children_text(const BackupInfo& info) {
  std::string text;
  for (const catalog::BackupId& id : info.children_backup_ids) text += (text.empty() ? "" : ",") + id.text;
  return text;
}

void print_sizes(const BackupDetails& details, const Figures& figures, BackupPage& page) {
  const BackupInfo& info = details.info;
  std::string size = size_text(figures.stored);
  if (details.wal.own.bytes > 0) size += fmt::format(" ({} with WALs)", size_text(figures.with_wal));
  page.nested("Backup Size", size);
  if (info.compression && info.compression != "none") page.nested("Backup Compression", *info.compression);
  if (details.wal.own.bytes > 0) page.nested("WAL Size", size_text(details.wal.own.bytes));
  if (figures.saved) {
    page.nested("Resources saved",
                fmt::format("{} ({:.2f}%)", size_text(*figures.saved), figures.saved_percent));
  }
}

void print_copy(const BackupDetails& details, const Figures& figures, BackupPage& page) {
  const engine::CopyStats& copy = details.copy;
  if (!copy.copy_seconds) return;
  std::string time = duration_text(*copy.copy_seconds);
  if (copy.analysis_seconds >= 1) time += fmt::format(" + {} startup", duration_text(copy.analysis_seconds));
  page.nested("Copy time", time);
  if (!figures.throughput) return;
  const std::string jobs = copy.workers > 1 ? fmt::format(" ({} jobs)", copy.workers) : "";
  page.nested("Estimated throughput", size_text(*figures.throughput) + "/s" + jobs);
}

template <class Value>
std::string or_none(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : "None";
}
std::string time_text(const std::optional<catalog::Timestamp>& time) {
  return time ? catalog::format_timestamp(*time) : "None";
}
std::string lsn_text(const std::optional<pgformat::Lsn>& lsn) { return lsn ? format_lsn(*lsn) : "None"; }

void print_base(const BackupDetails& details, const Figures& figures, BackupPage& page) {
  const BackupInfo& info = details.info;
  page.header("Base backup information");
  page.nested("Backup Method", info.mode.value_or("None"));
  page.nested_if("Encryption", info.encryption);
  if (info.mode == "postgres") page.nested("Backup Type", type_name(backup_type(info)));
  print_sizes(details, figures, page);
  page.nested("Timeline", or_none(info.timeline));
  page.nested("Begin WAL", or_none(info.begin_wal));
  page.nested("End WAL", or_none(info.end_wal));
  if (details.wal.own.files > 0) page.nested("Number of WALs", std::to_string(details.wal.own.files));
  if (figures.own_wal_ratio > 0)
    page.nested("WAL compression ratio", fmt::format("{:.2f}%", figures.own_wal_ratio));
  page.nested("Begin time", time_text(info.begin_time));
  page.nested("End time", time_text(info.end_time));
  print_copy(details, figures, page);
  page.nested("Begin Offset", or_none(info.begin_offset));
  page.nested("End Offset", or_none(info.end_offset));
  page.nested("Begin LSN", lsn_text(info.begin_xlog));
  page.nested("End LSN", lsn_text(info.end_xlog));
  page.end_block();
}

void print_wal(const BackupDetails& details, const Figures& figures, BackupPage& page) {
  page.header("WAL information");
  page.nested("Number of files", std::to_string(details.wal.until_next.files));
  page.nested("Disk usage", size_text(details.wal.until_next.bytes));
  if (figures.wal_per_second > 0)
    page.nested("WAL rate", fmt::format("{:.2f}/hour", figures.wal_per_second * 3600));
  if (figures.later_wal_ratio > 0)
    page.nested("Compression ratio", fmt::format("{:.2f}%", figures.later_wal_ratio));
  page.nested("Last available", details.wal.last.empty() ? "None" : details.wal.last);
  if (!details.reachable_timelines.empty()) {
    page.nested("Reachable timelines", fmt::format("{}", fmt::join(details.reachable_timelines, ", ")));
  }
  page.end_block();
}

void print_catalogue(const BackupDetails& details, BackupPage& page, Writer& out) {
  const BackupInfo& info = details.info;
  page.header("Catalog information");
  page.nested("Retention Policy", retention_text(details));
  page.nested("Previous Backup", neighbour_text(details.previous, "oldest"));
  page.nested("Next Backup", neighbour_text(details.next, "latest"));
  if (!details.reachable_timelines.empty()) {
    page.end_block();
    out.line(fmt::format("WARNING: {}", kTimelineWarning));  // part of the page
  }
  if (info.parent_backup_id) {
    page.nested("Root Backup", details.root.value_or(catalog::BackupId{"not available"}).text);
    page.nested("Parent Backup", info.parent_backup_id->text);
    page.nested("Backup chain size", std::to_string(details.chain_length));
  }
  if (info.mode == "postgres" && !info.children_backup_ids.empty()) {
    page.nested("Children Backup(s)", children_text(info));
  }
}

void print(const BackupDetails& details, Writer& out) {
  BackupPage page([&out](const std::string& line) { out.line(line); });
  out.line(fmt::format("Backup {}:", details.info.id.text));
  page.head(details.info, details.server);
  if (!is_available(details.info)) {
    if (details.info.error) page.row("Error", *details.info.error);
    return;
  }
  const Figures figures(details);
  page.tablespaces(details.info);
  print_base(details, figures, page);
  print_wal(details, figures, page);
  print_catalogue(details, page, out);
}

template <class Value>
Json json_or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

void put_size(Json& json, const std::string& key, std::uint64_t bytes) {
  json[key] = size_text(bytes);
  json[key + "_bytes"] = bytes;
}

void put_time(Json& json, const std::string& key, const std::optional<catalog::Timestamp>& time) {
  json[key] = time ? Json(catalog::format_timestamp(*time)) : Json();
  json[key + "_timestamp"] = time ? Json(epoch_text(*time)) : Json();
}

Json tablespaces_json(const BackupInfo& info) {
  Json all = Json::array();
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    all.push_back({{"name", tablespace.name}, {"location", tablespace.location}, {"oid", tablespace.oid}});
  }
  return all;
}

void put_copy(Json& json, const BackupDetails& details, const Figures& figures) {
  const engine::CopyStats& copy = details.copy;
  if (!copy.copy_seconds) return;
  json["copy_time"] = duration_text(*copy.copy_seconds);
  json["copy_time_seconds"] = *copy.copy_seconds;
  if (copy.analysis_seconds >= 1) {
    json["analysis_time"] = duration_text(copy.analysis_seconds);
    json["analysis_time_seconds"] = copy.analysis_seconds;
  }
  if (!figures.throughput) return;
  json["throughput"] = size_text(*figures.throughput) + "/s";
  json["throughput_bytes"] = *figures.throughput;
  json["number_of_workers"] = copy.workers;
}

Json base_json(const BackupDetails& details, const Figures& figures) {
  const BackupInfo& info = details.info;
  Json json = {{"backup_method", json_or_null(info.mode)},
               {"encryption", json_or_null(info.encryption)},
               {"compression", json_or_null(info.compression)},
               {"timeline", json_or_null(info.timeline)},
               {"begin_wal", json_or_null(info.begin_wal)},
               {"end_wal", json_or_null(info.end_wal)},
               {"wal_num", details.wal.own.files},
               {"begin_offset", json_or_null(info.begin_offset)},
               {"end_offset", json_or_null(info.end_offset)},
               {"begin_lsn", lsn_text(info.begin_xlog)},
               {"end_lsn", lsn_text(info.end_xlog)}};
  put_size(json, "backup_size", figures.stored);
  put_size(json, "backup_size_with_wals", figures.with_wal);
  put_size(json, "wal_size", details.wal.own.bytes);
  put_time(json, "begin_time", info.begin_time);
  put_time(json, "end_time", info.end_time);
  if (figures.saved) {
    json["resources_saved"] = size_text(*figures.saved);
    json["resources_saved_bytes"] = static_cast<std::int64_t>(*figures.saved);
    json["resources_saved_percentage"] = fmt::format("{:.2f}%", figures.saved_percent);
  }
  if (figures.own_wal_ratio > 0)
    json["wal_compression_ratio"] = fmt::format("{:.2f}%", figures.own_wal_ratio);
  put_copy(json, details, figures);
  return json;
}

Json wal_json(const BackupDetails& details, const Figures& figures) {
  Json json = {{"no_of_files", details.wal.until_next.files},
               {"wal_rate", 0},
               {"wal_rate_per_second", 0},
               {"compression_ratio", 0},
               {"last_available", details.wal.last.empty() ? Json() : Json(details.wal.last)},
               {"timelines", Json::array()}};
  put_size(json, "disk_usage", details.wal.until_next.bytes);
  if (figures.wal_per_second > 0) {
    json["wal_rate"] = fmt::format("{:.2f}/hour", figures.wal_per_second * 3600);
    json["wal_rate_per_second"] = figures.wal_per_second;
  }
  if (figures.later_wal_ratio > 0)
    json["compression_ratio"] = fmt::format("{:.2f}%", figures.later_wal_ratio);
  for (const pgformat::Timeline timeline : details.reachable_timelines) {
    json["timelines"].push_back(std::to_string(timeline));
  }
  if (!details.reachable_timelines.empty()) json["_WARNING"] = kJsonTimelineWarning;
  return json;
}

Json catalogue_json(const BackupDetails& details) {
  const BackupInfo& info = details.info;
  Json json = {{"retention_policy", retention_text(details)},
               {"previous_backup", neighbour_text(details.previous, "oldest")},
               {"next_backup", neighbour_text(details.next, "latest")}};
  if (info.parent_backup_id) {
    json["root_backup_id"] = details.root ? Json(details.root->text) : Json();
    json["parent_backup_id"] = info.parent_backup_id->text;
    json["chain_size"] = details.chain_length;
  }
  if (info.mode == "postgres") {
    json["children_backup_ids"] = nullptr;
    for (const catalog::BackupId& id : info.children_backup_ids)
      json["children_backup_ids"].push_back(id.text);
  }
  return json;
}

Json json_of(const BackupDetails& details) {
  const BackupInfo& info = details.info;
  Json json = {{"backup_id", info.id.text}, {"status", format_status(info.status)}};
  if (info.backup_name) json["backup_name"] = *info.backup_name;
  if (info.systemid) json["system_id"] = *info.systemid;
  json["server_information"] = {{"data_checksums", json_or_null(info.data_checksums)},
                                {"summarize_wal", json_or_null(info.summarize_wal)}};
  if (!is_available(info)) {
    if (info.error) json["error"] = *info.error;
    return json;
  }
  const Figures figures(details);
  json["backup_type"] = type_name(backup_type(info));
  if (info.cluster_size) put_size(json, "cluster_size", *info.cluster_size);
  json["postgresql_version"] = json_or_null(info.version);
  json["pgdata_directory"] = json_or_null(info.pgdata);
  json["tablespaces"] = tablespaces_json(info);
  json["base_backup_information"] = base_json(details, figures);
  json["wal_information"] = wal_json(details, figures);
  json["catalog_information"] = catalogue_json(details);
  return json;
}

}  // namespace

void report_backup_details(const BackupDetails& details, Writer& out) {
  if (!out.is_json()) return print(details, out);
  out.put({details.server},
          json_of(details).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace));
}

}  // namespace barman::report
