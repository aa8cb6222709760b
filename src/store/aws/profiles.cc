#include "store/aws/profiles.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::store {
namespace {

constexpr std::size_t kMostBytes = 1024UL * 1024;

std::string_view without_space(std::string_view text) {
  constexpr const char* kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_indented(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

const ProfileSettings* find_in(const ProfileFile& file, std::string_view name) {
  const auto found = file.find(name);
  return found == file.end() ? nullptr : &found->second;
}

ProfileFile read_file_of(const Environment& environment, const char* variable, const char* name) {
  std::filesystem::path path;
  const auto home = environment("HOME");
  if (const auto set = environment(variable)) {
    path = set->starts_with("~/") && home ? std::filesystem::path(*home) / set->substr(2)
                                          : std::filesystem::path(*set);
  } else if (home) {
    path = std::filesystem::path(*home) / ".aws" / name;
  }
  if (path.empty()) return {};
  const auto text = os::read_file(path, kMostBytes);
  return text ? parse_profile_file(*text) : ProfileFile{};
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

ProfileFile parse_profile_file(std::string_view text) {
  ProfileFile file;
  ProfileSettings* section = nullptr;
  std::string above;  // the setting that indented lines belong to
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view words = without_space(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') continue;
    if (words.front() == '[') {
      const std::size_t close = words.find(']');
      section = close == std::string_view::npos
                    ? nullptr
                    : &file[std::string(without_space(words.substr(1, close - 1)))];
      above.clear();
      continue;
    }
    const std::size_t sign = words.find('=');
    if (section == nullptr || sign == std::string_view::npos) continue;
    std::string name(without_space(words.substr(0, sign)));
    const std::string value(without_space(words.substr(sign + 1)));
    if (is_indented(line) && !above.empty()) {
      name.insert(0, above + ".");
    } else {
      above = value.empty() ? name : "";
    }
    (*section)[name] = value;
  }
  return file;
}

const ProfileSettings* Profiles::settings(std::string_view profile) const {
  if (const auto* found = find_in(config, "profile " + std::string(profile))) return found;
  return profile == "default" ? find_in(config, profile) : nullptr;
}

const ProfileSettings* Profiles::keys(std::string_view profile) const {
  return find_in(credentials, profile);
}

std::optional<std::string> Profiles::value(std::string_view profile, std::string_view name) const {
  for (const ProfileSettings* where : {settings(profile), keys(profile)}) {
    if (where == nullptr) continue;
    const auto found = where->find(name);
    if (found != where->end() && !found->second.empty()) return found->second;
  }
  return std::nullopt;
}

Profiles read_profiles(const Environment& environment) {
  return {.config = read_file_of(environment, "AWS_CONFIG_FILE", "config"),
          .credentials = read_file_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")};
}

}  // namespace barman::store
