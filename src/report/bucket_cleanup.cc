#include "report/bucket_cleanup.h"

#include <fmt/format.h>

#include "base/text.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::LeftOver;

const char* kind_of(const LeftOver& left_over) {
  switch (left_over.kind) {
    case LeftOver::Kind::kUpload:
      return "upload";
    case LeftOver::Kind::kBackup:
      return "backup";
    case LeftOver::Kind::kTrial:
      return "check";
  }
  return "";
}

std::chrono::seconds age_of(const LeftOver& left_over, Time now) {
  return std::chrono::floor<std::chrono::seconds>(std::max(now - left_over.newest, Time::duration::zero()));
}

std::string size_text(const LeftOver& left_over) {
  return left_over.bytes ? pretty_size(static_cast<double>(*left_over.bytes)) : "unknown size";
}

std::string words_for(const LeftOver& left_over, Time now) {
  const std::string size = size_text(left_over);
  const std::string age = human_duration(age_of(left_over, now));
  switch (left_over.kind) {
    case LeftOver::Kind::kUpload:
      return fmt::format("unfinished upload of {} ({}, begun {} ago)", left_over.name, size, age);
    case LeftOver::Kind::kBackup:
      return fmt::format("{} object{} in {} of a backup that has no record ({}, the newest {} old)",
                         left_over.keys.size(), left_over.keys.size() == 1 ? "" : "s", left_over.name, size,
                         age);
    case LeftOver::Kind::kTrial:
      return fmt::format("{}, put by a check ({}, {} old)", left_over.name, size, age);
  }
  return {};
}

std::string json_of(const LeftOver& left_over, const std::string& failure, Time now) {
  return fmt::format(R"({{"kind": "{}", "name": {}, "objects": {}, "bytes": {}, "age_seconds": {}{}}})",
                     kind_of(left_over), json_string(left_over.name), left_over.keys.size(),
                     left_over.bytes ? std::to_string(*left_over.bytes) : "null",
                     age_of(left_over, now).count(),
                     failure.empty() ? "" : fmt::format(R"(, "reason": {})", json_string(failure)));
}

}  // namespace

void report_found(const std::string& server, const LeftOver& left_over, Time now, Writer& out) {
  out.line("\tWould remove: " + words_for(left_over, now));
  out.append({server, "would_remove"}, json_of(left_over, "", now));
}

void report_removed(const std::string& server, const LeftOver& left_over, const std::string& failure,
                    Time now, Writer& out) {
  out.append({server, failure.empty() ? "removed" : "not_removed"}, json_of(left_over, failure, now));
  if (!failure.empty()) {
    out.error(fmt::format("Not removed: {}: {}", words_for(left_over, now), failure));
    return;
  }
  const std::string line = "Removed: " + words_for(left_over, now);
  out.line("\t" + line);
  out.log(engine::LogLevel::kInfo, fmt::format("server {}: {}", server, line));
}

void report_plan(const std::string& server, const engine::CleanupPlan& plan, bool is_dry_run, Writer& out) {
  for (const std::string& note : plan.notes) out.warning(note);
  if (plan.left_overs.empty()) {
    out.line(fmt::format("Server {}: nothing is left over in its buckets", server));
    return;
  }
  std::uint64_t bytes = 0;
  for (const LeftOver& left_over : plan.left_overs) bytes += left_over.bytes.value_or(0);
  out.line(fmt::format("Server {}: {} left over in its buckets, {}{}", server, plan.left_overs.size(),
                       pretty_size(static_cast<double>(bytes)), is_dry_run ? "; nothing is removed" : ""));
}

}  // namespace barman::report
