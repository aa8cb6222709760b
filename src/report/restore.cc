#include "report/restore.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/restore/restore.h"
#include "report/writer.h"

namespace barman::report {

namespace {

using engine::SettingLine;
using Json = nlohmann::json;

void show_lines(const std::vector<SettingLine>& lines, Writer& out) {
  for (const SettingLine& line : lines) {
    out.info(fmt::format("{} line {}: {} = {}", line.file, line.line, line.key, line.value));
  }
  out.info("");
}

Json as_json(const std::vector<SettingLine>& lines) {
  Json array = Json::array();
  for (const SettingLine& line : lines) {
    array.push_back({line.file, line.line, line.key, line.value == "None" ? Json() : Json(line.value)});
  }
  return array;
}

void put_json(const engine::RestoreResult& result, Writer& out) {
  const auto put = [&](const char* key, const Json& value) { out.put({key}, value.dump()); };
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(result.started.time_since_epoch());
  put("changes", as_json(result.changes));
  put("changes_count", result.changes.size());
  put("warnings", as_json(result.warnings));
  put("warnings_count", result.warnings.size());
  put("missing_files", result.missing_files);
  put("recovery_start_time", local_iso_text(result.started));
  put("recovery_start_time_timestamp", std::to_string(seconds.count()));
  put("recovery_elapsed_time", human_duration(result.elapsed));
  put("recovery_elapsed_time_seconds", static_cast<double>(result.elapsed.count()) / 1e6);
}

void show_settings(const engine::RestoreResult& result, Writer& out) {
  out.info("");
  if (!result.changes.empty()) {
    out.info("IMPORTANT");
    out.info("These settings have been modified to prevent data losses");
    out.info("");
    show_lines(result.changes, out);
  }
  if (!result.warnings.empty()) {
    out.info("WARNING");
    out.info("You are required to review the following options as potentially dangerous");
    out.info("");
    show_lines(result.warnings, out);
  }
}

// Standard output on the console; in JSON the notices are warnings.
void notice(const std::string& text, Writer& out) {
  if (out.is_json()) {
    out.warning(text);
  } else {
    out.info(text);
  }
}

}  // namespace

void report_restore(const engine::RestoreResult& result, bool fetches_wal, const std::string& recovery_file,
                    Writer& out) {
  if (out.is_json()) {
    put_json(result, out);
    if (!result.changes.empty()) out.warning("settings were modified to prevent data losses: see 'changes'");
    if (!result.warnings.empty())
      out.warning("settings need a review before the server starts: see 'warnings'");
  } else {
    show_settings(result, out);
  }
  if (!result.missing_files.empty()) {
    std::string text =
        "WARNING\nThese configuration files are not in the backup, because they lived outside the data "
        "directory.\n"
        "Put them in place before you start the server:\n";
    for (const std::string& file : result.missing_files) text += "\n    " + file;
    notice(text + "\n", out);
  }
  if (fetches_wal) {
    notice(
        fmt::format("WARNING: 'get-wal' is in the specified 'recovery_options'.\n"
                    "The restored server will ask barman for WAL while it recovers: see restore_command in\n"
                    "the file '{}', and try it as the user that runs the server.",
                    recovery_file),
        out);
  }
  if (result.checked_files > 0) {
    out.log(engine::LogLevel::kInfo,
            fmt::format("{} files were checked against the manifest", result.checked_files));
  }
  if (out.is_json()) return;
  out.info("");
  out.info(fmt::format("Restore operation completed (start time: {}, elapsed time: {})",
                       local_iso_text(result.started), human_duration(result.elapsed)));
  out.info("Your PostgreSQL server has been successfully prepared for recovery!");
}

}  // namespace barman::report
