// Finds, reads and validates the configuration.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "config/settings.h"

namespace barman::config {

struct Environment {
  std::optional<std::string> config_file_variable{};  // BARMAN_CONFIG_FILE
  std::filesystem::path home;                         // of the invoking user
};

// -c FILE, else the variable, else ~/.barman.conf, /etc/barman.conf, /etc/barman/barman.conf.
// Throws kUsage if there is none.
std::filesystem::path find_main_file(const std::optional<std::string>& given, const Environment& environment);

// Reads the main file, the *.conf of configuration_files_directory and .barman.auto.conf, applies active
// models, validates. Unknown options and bad values become warnings that name file, line, option, value and
// what would be right. Throws kUsage for what makes the whole unusable.
Configuration load(const std::filesystem::path& main_file);

}  // namespace barman::config
