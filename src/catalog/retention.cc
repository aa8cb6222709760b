#include "catalog/retention.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace barman::catalog {

namespace {

using Statuses = std::map<BackupId, RetentionStatus>;
using Unit = RetentionPolicy::Unit;

std::vector<std::string> upper_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) == 0) {
      words.back() += static_cast<char>(std::toupper(byte));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::optional<std::uint32_t> count_of(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::optional<Unit> unit_of(std::string_view word) {
  if (word == "DAY" || word == "DAYS") return Unit::kDays;
  if (word == "WEEK" || word == "WEEKS") return Unit::kWeeks;
  if (word == "MONTH" || word == "MONTHS") return Unit::kMonths;
  return std::nullopt;
}

Time window_opens(const RetentionPolicy& policy, Time now) {
  int days = 1;
  if (policy.unit == Unit::kWeeks) days = 7;
  if (policy.unit == Unit::kMonths) days = 31;
  return now - std::chrono::hours{24} * days * static_cast<std::int64_t>(policy.count);
}

// The status of a backup that is kept on purpose; `otherwise` if it is not.
RetentionStatus unless_kept(const RetentionQuestion& question, const BackupInfo& info,
                            RetentionStatus otherwise) {
  const auto keep = question.kept.find(info.id);
  if (keep == question.kept.end()) return otherwise;
  return keep->second == "standalone" ? RetentionStatus::kKeepStandalone : RetentionStatus::kKeepFull;
}

bool is_root(const BackupInfo& info) { return backup_type(info) != BackupType::kIncremental; }

// What a root has of the policy, and whether it lies outside it: the incrementals of a standalone backup
// want to know.
struct Verdict {
  RetentionStatus status = RetentionStatus::kNone;
  bool outside = false;
};

// Goes through the roots from the newest to the oldest.
class Redundancy {
 public:
  Redundancy(std::uint32_t count, const RetentionQuestion& question)
      : wanted_(std::max(count, question.minimum_redundancy)), question_(question) {}

  Verdict judge(const BackupInfo& info) {
    if (info.status != BackupStatus::kDone) return {};
    const bool outside = seen_ >= wanted_;
    ++seen_;  // kept ones use up a place too
    return {.status =
                unless_kept(question_, info, outside ? RetentionStatus::kObsolete : RetentionStatus::kValid),
            .outside = outside};
  }

 private:
  std::uint32_t wanted_;
  const RetentionQuestion& question_;
  std::uint32_t seen_ = 0;
};

class Window {
 public:
  Window(Time opens, const RetentionQuestion& question) : opens_(opens), question_(question) {}

  Verdict judge(const BackupInfo& info) {
    if (info.status != BackupStatus::kDone) return {};
    if (found_) return outside(info);
    ++valid_;
    // The first one before the point opens the window, so it is still needed.
    found_ = info.end_time && info.end_time->instant < opens_;
    return {.status = unless_kept(question_, info, RetentionStatus::kValid)};
  }

 private:
  Verdict outside(const BackupInfo& info) {
    const bool needed = valid_ < question_.minimum_redundancy;
    if (needed) ++valid_;
    const auto status = needed ? RetentionStatus::kPotentiallyObsolete : RetentionStatus::kObsolete;
    return {.status = unless_kept(question_, info, status), .outside = true};
  }

  Time opens_;
  const RetentionQuestion& question_;
  bool found_ = false;
  std::uint32_t valid_ = 0;
};

template <class Judge>
std::map<BackupId, Verdict> verdicts(const RetentionQuestion& question, Judge judge) {
  std::map<BackupId, Verdict> found;
  for (auto info = question.backups.rbegin(); info != question.backups.rend(); ++info) {
    if (info->status != BackupStatus::kEmpty && is_root(*info)) found[info->id] = judge.judge(*info);
  }
  return found;
}

RetentionStatus inherited(const Verdict& root) {
  if (root.status == RetentionStatus::kKeepFull) return RetentionStatus::kValid;
  if (root.status != RetentionStatus::kKeepStandalone) return root.status;
  return root.outside ? RetentionStatus::kObsolete : RetentionStatus::kValid;
}

}  // namespace

std::optional<RetentionPolicy> parse_retention_policy(std::string_view text) {
  const std::vector<std::string> words = upper_words(text);
  if (words.size() == 2 && words[0] == "REDUNDANCY") {
    const auto count = count_of(words[1]);
    return count ? std::optional(RetentionPolicy{.unit = Unit::kBackups, .count = *count}) : std::nullopt;
  }
  if (words.size() != 5 || words[0] != "RECOVERY" || words[1] != "WINDOW" || words[2] != "OF")
    return std::nullopt;
  const auto count = count_of(words[3]);
  const auto unit = unit_of(words[4]);
  if (!count || !unit) return std::nullopt;
  return RetentionPolicy{.unit = *unit, .count = *count};
}

std::string format_retention_policy(const RetentionPolicy& policy) {
  constexpr std::array<std::string_view, 4> kUnits = {"", "DAYS", "WEEKS", "MONTHS"};
  const std::string count = std::to_string(policy.count);
  if (policy.unit == Unit::kBackups) return "REDUNDANCY " + count;
  return "RECOVERY WINDOW OF " + count + " " + std::string(kUnits.at(static_cast<std::size_t>(policy.unit)));
}

std::string_view format_retention_status(RetentionStatus status) {
  constexpr std::array<std::string_view, 6> kTexts = {"-",         "VALID",     "OBSOLETE",
                                                      "OBSOLETE*", "KEEP:FULL", "KEEP:STANDALONE"};
  return kTexts.at(static_cast<std::size_t>(status));
}

std::map<BackupId, RetentionStatus> retention_report(const RetentionPolicy& policy,
                                                     const RetentionQuestion& question) {
  const std::map<BackupId, Verdict> roots =
      policy.unit == Unit::kBackups
          ? verdicts(question, Redundancy(policy.count, question))
          : verdicts(question, Window(window_opens(policy, question.now), question));
  Statuses statuses;
  for (const BackupInfo& info : question.backups) {
    if (info.status == BackupStatus::kEmpty) continue;
    if (is_root(info)) {
      statuses[info.id] = roots.at(info.id).status;
      continue;
    }
    const auto root = root_of(question.backups, info);
    const auto verdict = root ? roots.find(root->id) : roots.end();
    statuses[info.id] = verdict == roots.end() ? RetentionStatus::kNone : inherited(verdict->second);
  }
  return statuses;
}

std::optional<BackupInfo> root_of(const std::vector<BackupInfo>& backups, const BackupInfo& info) {
  const BackupInfo* link = &info;
  // A chain cannot be longer than the catalogue: this ends even if damaged records form a circle.
  for (std::size_t steps = 0; steps <= backups.size(); ++steps) {
    if (!link->parent_backup_id) return *link;
    const auto parent = std::ranges::lower_bound(backups, *link->parent_backup_id, {}, &BackupInfo::id);
    if (parent == backups.end() || parent->id != *link->parent_backup_id) return std::nullopt;
    link = &*parent;
  }
  return std::nullopt;
}

std::size_t redundancy(const std::vector<BackupInfo>& backups) {
  return static_cast<std::size_t>(std::ranges::count_if(
      backups, [](const BackupInfo& info) { return info.status == BackupStatus::kDone && is_root(info); }));
}

}  // namespace barman::catalog
