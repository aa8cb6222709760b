#include "config/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "config/ini.h"

namespace barman::config {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in.is_open()) text << in.rdbuf();
  if (in.bad() || !in.is_open()) {
    throw Error(ErrorKind::kUsage, fmt::format("cannot read the configuration file '{}': {}", file.string(),
                                               std::strerror(errno)));
  }
  return std::move(text).str();
}

Setting setting_of(const IniFile& ini, const IniSection& section, const IniKey& key) {
  const auto* option = find_option(key.name);
  const bool shell = option != nullptr && option->type == OptionType::kCommand;
  return {.key = key.name,
          .option = option,
          .text = final_value(ini, section, key, shell ? InlineComments::kKeep : InlineComments::kStrip),
          .file = ini.file,
          .line = key.line};
}

// A section as its file means it: its own keys over those of [DEFAULT].
Section section_of(const IniFile& ini, const IniSection& section) {
  Section result;
  for (const auto& key : ini.defaults.keys) {
    if (section.find(key.name) == nullptr) result.settings.push_back(setting_of(ini, section, key));
  }
  for (const auto& key : section.keys) result.settings.push_back(setting_of(ini, section, key));
  return result;
}

void must_not_change(const Section& barman, const Setting& setting, const fs::path& file) {
  const auto* known = barman.find(setting.key);
  if (known != nullptr && known->text == setting.text) return;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("the configuration file {} contains a not empty [barman] section: move '{}' (line {}) "
                  "to the main configuration file",
                  file.filename().string(), setting.key, setting.line));
}

void lay_over(Sources& sources, const fs::path& file, bool is_main) {
  const auto ini = parse_ini(read_file(file), file.string());
  for (const auto& section : ini.sections) {
    auto& target = sources.sections[section.name];
    for (auto& setting : section_of(ini, section).settings) {
      if (!is_main && section.name == "barman") must_not_change(target, setting, file);
      target.put(std::move(setting));
    }
  }
}

fs::path expanded(const std::string& path, const fs::path& home) {
  if (path == "~") return home;
  if (path.starts_with("~/")) return home / path.substr(2);
  return path;
}

std::vector<fs::path> included_files(const fs::path& directory, std::vector<std::string>& warnings) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (!name.ends_with(".conf") || name.starts_with('.')) continue;
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) {
      files.push_back(entry->path());
    } else {
      warnings.push_back(
          fmt::format("Discarding configuration file '{}': it is not a file", entry->path().string()));
    }
  }
  if (error) {
    warnings.push_back(
        fmt::format("Ignoring option 'configuration_files_directory': cannot read the folder '{}': {}",
                    directory.string(), error.message()));
  }
  std::ranges::sort(files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
  return files;
}

}  // namespace

const Setting* Section::find(std::string_view key) const {
  const auto found = std::ranges::find(settings, key, &Setting::key);
  return found == settings.end() ? nullptr : &*found;
}

void Section::put(Setting setting) {
  const auto found = std::ranges::find(settings, setting.key, &Setting::key);
  if (found == settings.end()) {
    settings.push_back(std::move(setting));
  } else {
    *found = std::move(setting);
  }
}

Sources read_sources(const fs::path& main_file, const fs::path& home) {
  Sources sources;
  lay_over(sources, main_file, true);
  const auto barman = sources.sections.find("barman");
  if (barman == sources.sections.end()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("No section: 'barman': add a [barman] section with barman_home to "
                            "the configuration file '{}'",
                            main_file.string()));
  }
  if (const auto* include = barman->second.find("configuration_files_directory");
      include != nullptr && !include->text.empty() && include->text != "None") {
    for (const auto& file : included_files(expanded(include->text, home), sources.warnings)) {
      lay_over(sources, file, false);
    }
  }
  if (const auto* root = barman->second.find("barman_home"); root != nullptr && !root->text.empty()) {
    const auto automatic = fs::path(root->text) / ".barman.auto.conf";
    if (std::error_code error; fs::exists(automatic, error)) lay_over(sources, automatic, false);
  }
  return sources;
}

}  // namespace barman::config
