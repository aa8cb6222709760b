#include "engine/server/retention_settings.h"

#include <algorithm>
#include <limits>

namespace barman::engine {

RetentionSettings retention_settings(const config::Server& server) {
  const std::int64_t minimum = server.values.optional_number("minimum_redundancy").value_or(0);
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return {.policy = catalog::parse_retention_policy(server.values.text("retention_policy")),
          .minimum_redundancy = static_cast<std::uint32_t>(std::clamp<std::int64_t>(minimum, 0, kMost))};
}

std::map<catalog::BackupId, catalog::RetentionStatus> retention_of(
    const RetentionSettings& settings, const std::vector<catalog::BackupInfo>& backups,
    const std::map<catalog::BackupId, std::string>& kept, Time now) {
  if (!settings.policy) return {};
  return catalog::retention_report(
      *settings.policy,
      {.backups = backups, .kept = kept, .minimum_redundancy = settings.minimum_redundancy, .now = now});
}

}  // namespace barman::engine
