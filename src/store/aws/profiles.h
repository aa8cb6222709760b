// The files in which people keep their settings and keys for Amazon's services: ~/.aws/config,
// ~/.aws/credentials.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace barman::store {

// A variable of the environment; nothing if it is not set or empty. Tests pass their own.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

// Settings of a section. Those below another ("s3 =" with indented lines) have a dot: "s3.addressing_style".
using ProfileSettings = std::map<std::string, std::string, std::less<>>;
// By the name that stands in brackets.
using ProfileFile = std::map<std::string, ProfileSettings, std::less<>>;

// Lenient as others are with these files: lines that make no sense are passed over.
ProfileFile parse_profile_file(std::string_view text);

struct Profiles {
  ProfileFile config;
  ProfileFile credentials;

  // Of "[profile NAME]", or "[NAME]" for "default".
  [[nodiscard]] const ProfileSettings* settings(std::string_view profile) const;
  [[nodiscard]] const ProfileSettings* keys(std::string_view profile) const;
  // A setting of the profile in either file, config first.
  [[nodiscard]] std::optional<std::string> value(std::string_view profile, std::string_view name) const;
};

// Reads AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or those in the home folder; a file that is not
// there, or no home folder, is an empty one.
Profiles read_profiles(const Environment& environment);

}  // namespace barman::store
