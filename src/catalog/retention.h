// Retention: which backups a policy keeps. A pure decision; nothing is deleted here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"

namespace barman::catalog {

struct RetentionPolicy {
  enum class Unit { kBackups, kDays, kWeeks, kMonths };  // kBackups: redundancy, else a recovery window
  Unit unit = Unit::kBackups;
  std::uint32_t count = 0;

  bool operator==(const RetentionPolicy&) const = default;
};

// "redundancy 3" or "recovery window of 4 weeks", in any case. Nothing for any other text.
std::optional<RetentionPolicy> parse_retention_policy(std::string_view text);
std::string format_retention_policy(const RetentionPolicy& policy);  // "RECOVERY WINDOW OF 4 WEEKS"

enum class RetentionStatus {
  kNone,  // "-": not subject to the policy
  kValid,
  kObsolete,
  kPotentiallyObsolete,  // "OBSOLETE*": outside the window, but needed for the minimum redundancy
  kKeepFull,
  kKeepStandalone,
};
std::string_view format_retention_status(RetentionStatus status);

struct RetentionQuestion {
  const std::vector<BackupInfo>& backups;       // ascending by id
  const std::map<BackupId, std::string>& kept;  // keep annotations: "full", "standalone"
  std::uint32_t minimum_redundancy = 0;
  Time now;
};

// The status of every backup that is not EMPTY. Incrementals follow their root; one whose root is gone is
// kNone.
std::map<BackupId, RetentionStatus> retention_report(const RetentionPolicy& policy,
                                                     const RetentionQuestion& question);

// The backup at the bottom of an incremental's chain: itself if it is none; nothing if a link is missing.
std::optional<BackupInfo> root_of(const std::vector<BackupInfo>& backups, const BackupInfo& info);

// DONE backups that are not incremental: what minimum_redundancy counts.
std::size_t redundancy(const std::vector<BackupInfo>& backups);

}  // namespace barman::catalog
