// The configuration files of a restored data directory, edited in their place, and those that start a
// recovery.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/restore/configuration.h"

namespace barman::engine {

struct ConfiguredFiles {
  std::vector<SettingLine> changes{};
  std::vector<SettingLine> warnings{};
  std::vector<std::string> missing{};  // that lived outside the data directory
};

// Edits the configuration as configuration.h says; the files as they were stay beside them as *.origin.
ConfiguredFiles edit_configuration_files(const std::filesystem::path& data);

// Adds the settings to `file` of the data directory, and says to the server that it is to recover.
void write_recovery_settings(const std::filesystem::path& data, const std::string& file,
                             const RecoverySettings& settings);

}  // namespace barman::engine
