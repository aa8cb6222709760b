#include "report/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/redact.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::CheckLine;
using engine::CheckReport;

std::string with_hint(const CheckLine& line, const std::string& status) {
  return status + (line.hint.empty() ? "" : " (" + line.hint + ")");
}

void print_line(const CheckReport& report, const CheckLine& line, Writer& out) {
  const std::string status = line.ok ? "OK" : "FAILED";
  out.line("\t" + line.label + ": " +
           with_hint(line, out.paint(line.ok ? Colour::kGreen : Colour::kRed, status)));
  out.put({report.server, json_key(line.label)},
          fmt::format(R"({{"hint": {}, "status": "{}"}})", json_string(line.hint), status));
  for (const std::string& detail : line.details) out.notice("\t\t" + detail);
}

std::string failures(const CheckReport& report) {
  std::vector<std::string> labels;
  for (const CheckLine& line : report.lines) {
    if (!line.ok) labels.push_back(line.label);
  }
  return fmt::format(" * {} FAILED: {}", report.server, fmt::join(labels, ", "));
}

std::string performance(const std::vector<CheckReport>& reports) {
  std::vector<std::string> values;
  for (const CheckReport& report : reports) {
    values.push_back(fmt::format("{}={}B", report.server, report.backup_bytes));
    values.push_back(fmt::format("{}_wals={}B", report.server, report.wal_bytes));
  }
  return fmt::format("|{}", fmt::join(values, " "));
}

NagiosResult critical(const std::vector<CheckReport>& reports) {
  const auto failed =
      std::ranges::count_if(reports, [](const CheckReport& report) { return !report.passed(); });
  std::string text =
      reports.size() == 1
          ? fmt::format("BARMAN CRITICAL - server {} has issues", reports.front().server)
          : fmt::format("BARMAN CRITICAL - {} server out of {} have issues", failed, reports.size());
  std::string details;
  for (const CheckReport& report : reports) {
    if (report.passed()) continue;
    text += failures(report);
    for (const CheckLine& line : report.lines) {
      if (!line.ok)
        details += fmt::format("\n{}.{}: {}", report.server, line.label, with_hint(line, "FAILED"));
    }
  }
  return {.text = redact(text + performance(reports) + details), .status = 2};
}

NagiosResult fine(const std::vector<CheckReport>& reports) {
  std::vector<std::string> good;
  std::string ignored;
  for (const CheckReport& report : reports) {
    if (report.passed()) {
      good.push_back(report.server);
    } else {
      ignored += " * IGNORING: " + report.server;
    }
  }
  if (good.empty()) return {.text = "BARMAN OK - No server configured" + ignored};
  std::string text = "BARMAN OK - Ready to serve the Espresso backup for ";
  text +=
      good.size() == 1 ? good.front() : fmt::format("{} servers * {}", good.size(), fmt::join(good, " * "));
  return {.text = text + ignored + performance(reports)};
}

}  // namespace

std::string json_key(const std::string& label) {
  std::string key;
  for (const char c : label) {
    if (c == '.') continue;
    key += c == ' ' || c == '-' ? '_' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return key;
}

void print_check(const CheckReport& report, Writer& out) {
  const std::string state = !report.active ? " (inactive)" : report.disabled ? " (WARNING: disabled)" : "";
  out.line("Server " + report.server + state + ":");
  for (const CheckLine& line : report.lines) print_line(report, line, out);
  if (report.active && !report.passed()) out.fail();
}

NagiosResult nagios(const std::vector<CheckReport>& reports, bool configuration_failed) {
  const bool issues = std::ranges::any_of(
      reports, [](const CheckReport& report) { return report.active && !report.passed(); });
  if (issues) return critical(reports);
  if (configuration_failed) return {.text = "BARMAN CRITICAL - Global configuration errors", .status = 2};
  return fine(reports);
}

}  // namespace barman::report
