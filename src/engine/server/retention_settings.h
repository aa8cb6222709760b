// What the configuration says about retention.
#pragma once

#include <map>
#include <optional>

#include "catalog/catalog.h"
#include "catalog/retention.h"
#include "config/settings.h"

namespace barman::engine {

struct RetentionSettings {
  std::optional<catalog::RetentionPolicy> policy{};  // none: not enforced
  std::uint32_t minimum_redundancy = 0;
};

// A policy that cannot be read is none: `check` says so.
RetentionSettings retention_settings(const config::Server& server);

// The status of each backup; empty if no policy is set.
std::map<catalog::BackupId, catalog::RetentionStatus> retention_of(
    const RetentionSettings& settings, const std::vector<catalog::BackupInfo>& backups,
    const std::map<catalog::BackupId, std::string>& kept, Time now);

}  // namespace barman::engine
