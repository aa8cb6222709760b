// The sections of all configuration files, laid over one another.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"

namespace barman::config {

// One key of one section, from the last file that sets it.
struct Setting {
  std::string key;
  const Option* option = nullptr;  // none: not an option at all
  std::string text;                // ready for parse_value()
  std::string file;
  int line = 0;
};

struct Section {
  std::vector<Setting> settings;  // in order of first appearance

  [[nodiscard]] const Setting* find(std::string_view key) const;
  void put(Setting setting);
};

struct Sources {
  std::map<std::string, Section, std::less<>> sections;
  std::vector<std::string> warnings;
};

// Reads the main file, the *.conf files of configuration_files_directory (whose "~" is `home`) and
// .barman.auto.conf: the later one wins, key by key. Throws kUsage if the main file has no [barman], a file
// cannot be read or understood, or one of the others adds to or changes [barman].
Sources read_sources(const std::filesystem::path& main_file, const std::filesystem::path& home);

}  // namespace barman::config
