// Turns the text of one option into its value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/option.h"

namespace barman::config {

// Why a text is not a value of its option, and what would be.
struct BadValue {
  std::string reason;
};

// Parses `text` as `option` wants it. An empty text, or "None", is unset where that is of use (a server can
// thereby do without a global value), and a BadValue for numbers, flags and what needs a value. Never throws.
std::variant<Value, BadValue> parse_value(const Option& option, std::string_view text);

// A retention policy: so many backups, or as many as are needed to go back so far.
struct RetentionPolicy {
  enum class Unit { kRedundancy, kDays, kWeeks, kMonths };
  Unit unit = Unit::kRedundancy;
  std::int64_t count = 0;

  // Of a recovery window; a month has 31 days.
  [[nodiscard]] std::chrono::seconds window() const;
  bool operator==(const RetentionPolicy&) const = default;
};

// "REDUNDANCY 3", "RECOVERY WINDOW OF 2 WEEKS": any case, any blanks.
std::optional<RetentionPolicy> parse_retention_policy(std::string_view text);
std::string format_retention_policy(const RetentionPolicy& policy);

// The parts of kTablespaceLimits: "name:kilobytes" items parted by blanks or commas. Items that are not of
// that form are left out.
std::vector<std::pair<std::string, std::int64_t>> parse_tablespace_limits(std::string_view text);

// Whether `text` is a connection string: key=value words or a postgresql:// URI.
bool looks_like_conninfo(std::string_view text);

// Whether a location is in an object store ("scheme://…") rather than on disk.
bool is_url(std::string_view location);

// Which kind of object store serves a URL: "aws-s3", "google-cloud-storage", "azure-blob-storage".
std::optional<std::string_view> cloud_provider_of(std::string_view url);

}  // namespace barman::config
