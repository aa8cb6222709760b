#include "config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "config/words.h"

namespace barman::config {
namespace {

using Parsed = std::variant<Value, BadValue>;

constexpr std::int64_t kLongestCount = 1'000'000;  // of days, weeks, months: beyond, times overflow

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> words(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> result;
  for (std::size_t at = 0; (at = text.find_first_not_of(separators, at)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  while (true) {
    const auto end = text.find(separator);
    result.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
std::optional<Number> decimal(std::string_view digits) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// As Python's int(): a sign, and '_' between digits.
std::optional<std::int64_t> integer(std::string_view text) {
  text = trimmed(text);
  std::string digits;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    if (text.front() == '-') digits = "-";
    text.remove_prefix(1);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between_digits = text[i] == '_' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]);
    if (is_digit(text[i])) {
      digits += text[i];
    } else if (!between_digits) {
      return std::nullopt;
    }
  }
  if (!text.empty() && text.back() == '_') return std::nullopt;
  return decimal<std::int64_t>(digits);
}

Parsed flag(std::string_view text) {
  static constexpr std::string_view kTrue[] = {"true", "t", "yes", "1", "on"};
  static constexpr std::string_view kFalse[] = {"false", "f", "no", "0", "off"};
  const auto word = lower(text);
  if (std::ranges::find(kTrue, word) != std::end(kTrue)) return Value(true);
  if (std::ranges::find(kFalse, word) != std::end(kFalse)) return Value(false);
  return BadValue{"Invalid boolean representation (must be one in: true|t|yes|1|on | false|f|no|0|off)"};
}

Parsed number(std::string_view text) {
  if (const auto value = integer(text)) return Value(*value);
  return BadValue{"it must be a whole number, such as 10"};
}

Parsed choice(const Option& option, std::string_view text) {
  const auto word = option.type == OptionType::kExactChoice ? std::string(text) : lower(text);
  if (std::ranges::find(option.choices, word) != option.choices.end()) {
    // Written only to mean nothing: the same as if it were not set anywhere.
    if (option.name == "encryption" && word == "none") return Value();
    return Value(word);
  }
  return BadValue{fmt::format("it must be one of: {}{}", fmt::join(option.choices, ", "),
                              option.type == OptionType::kExactChoice ? " (exactly so)" : "")};
}

Parsed choice_set(const Option& option, std::string_view text) {
  std::vector<std::string> chosen;
  for (const auto member : split(text, ',')) {
    const auto word = lower(trimmed(member));
    if (word.empty() && trimmed(text).empty()) break;
    if (std::ranges::find(option.choices, word) == option.choices.end()) {
      return BadValue{fmt::format("'{}' is not known: it must be some of: {}, parted by commas", word,
                                  fmt::join(option.choices, ", "))};
    }
    if (std::ranges::find(chosen, word) == chosen.end()) chosen.push_back(word);
  }
  const auto has = [&](std::string_view word) { return std::ranges::find(chosen, word) != chosen.end(); };
  if (has("concurrent_backup") && has("exclusive_backup")) {
    return BadValue{"cannot contain both 'exclusive_backup' and 'concurrent_backup': keep one of them"};
  }
  return Value(std::move(chosen));
}

// "3 days": the count and the unit without its plural s. A month has 31 days.
std::optional<Interval> interval_of(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto rest = text.substr(digits);
  const auto unit = lower(trimmed(rest));
  const auto count = decimal<std::int64_t>(text.substr(0, digits));
  if (!count || *count > kLongestCount || rest.empty() || !is_blank(rest.front()) || is_blank(text.back())) {
    return std::nullopt;
  }
  using std::chrono::hours;
  static constexpr std::pair<std::string_view, hours> kUnits[] = {
      {"hour", hours(1)}, {"day", hours(24)}, {"week", hours(7 * 24)}, {"month", hours(31 * 24)}};
  for (const auto& [name, length] : kUnits) {
    if (unit == name || unit == std::string(name) + "s") return Interval{*count * length};
  }
  return std::nullopt;
}

Parsed interval(std::string_view text) {
  if (const auto value = interval_of(text)) return Value(*value);
  return BadValue{
      "Invalid value for a time interval: it must be a number and HOURS, DAYS, WEEKS or MONTHS, such as 2 "
      "days"};
}

Parsed size(std::string_view text) {
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"", 1},
                                                                         {"k", 1'000},
                                                                         {"Ki", std::int64_t{1} << 10},
                                                                         {"M", 1'000'000},
                                                                         {"Mi", std::int64_t{1} << 20},
                                                                         {"G", 1'000'000'000},
                                                                         {"Gi", std::int64_t{1} << 30},
                                                                         {"T", 1'000'000'000'000},
                                                                         {"Ti", std::int64_t{1} << 40}};
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = decimal<std::int64_t>(text.substr(0, digits));
  const auto unit = trimmed(text.substr(digits));
  const auto* known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::int64_t>::first);
  std::int64_t bytes = 0;
  if (!count || known == std::end(kUnits) || __builtin_mul_overflow(*count, known->second, &bytes)) {
    return BadValue{"it must be digits and perhaps one of k, Ki, M, Mi, G, Gi, T, Ti, such as 10Gi"};
  }
  return Value(bytes);
}

Parsed slot_name(std::string_view text) {
  const auto name = lower(text);
  const bool good =
      std::ranges::all_of(name, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_'; });
  if (good) return Value(name);
  return BadValue{
      "Replication slot names may only contain lower case letters, numbers, and the underscore character."};
}

Parsed absolute_path(std::string_view text) {
  if (text.starts_with('/')) return Value(std::string(text));
  return BadValue{"it must be an absolute path, one that begins with '/'"};
}

Parsed text_list(std::string_view text) {
  std::vector<std::string> members;
  for (const auto member : split(text, ',')) {
    if (member.empty()) return BadValue{"it must be names parted by single commas, none of them empty"};
    members.emplace_back(member);
  }
  return Value(std::move(members));
}

Parsed compression_level(std::string_view text) {
  const auto word = lower(text);
  if (word == "low" || word == "medium" || word == "high") return Value(word);
  if (const auto value = integer(text)) return Value(*value);
  return BadValue{"it must be low, medium, high or a whole number"};
}

Parsed redundancy(std::string_view text) {
  if (text.empty()) return Value(std::int64_t{0});
  const auto value = integer(text);
  if (value && *value >= 0) return Value(*value);
  return BadValue{"it must be a whole number, 0 or more"};
}

Parsed tablespace_limits(std::string_view text) {
  std::vector<std::string> limits;
  for (const auto& [name, limit] : parse_tablespace_limits(text)) {
    limits.push_back(fmt::format("{}:{}", name, limit));
  }
  return limits.empty() ? Value() : Value(std::move(limits));
}

Parsed path_or_url(std::string_view text) {
  if (!is_url(text) || cloud_provider_of(text)) return Value(std::string(text));
  return BadValue{
      "the URL is not of a known object store: it must look like s3://bucket/path, gs://bucket/path or "
      "https://account.blob.core.windows.net/container, or be a path"};
}

Parsed retention_policy(std::string_view text) {
  const auto policy = parse_retention_policy(text);
  return Value(policy ? format_retention_policy(*policy) : std::string(text));
}

// Whether an empty text is a value of `option`: unset, whatever [barman] or the default says.
bool may_be_empty(const Option& option) {
  switch (option.type) {
    case OptionType::kConninfo:
      return true;
    case OptionType::kFlag:
    case OptionType::kNumber:
    case OptionType::kChoiceSet:
    case OptionType::kRedundancy:
      return false;
    default:
      return option.default_text.empty();
  }
}

BadValue empty_is_bad(const Option& option) {
  return BadValue{fmt::format("it cannot be empty: leave it out to have '{}'", option.default_text)};
}

Parsed parse_non_empty(const Option& option, std::string_view text) {
  switch (option.type) {
    case OptionType::kText:
    case OptionType::kPath:
    case OptionType::kConninfo:
    case OptionType::kCommand:
      return Value(std::string(text));
    case OptionType::kFlag:
      return flag(text);
    case OptionType::kNumber:
    case OptionType::kBandwidth:
      return number(text);
    case OptionType::kChoice:
    case OptionType::kExactChoice:
      return choice(option, text);
    case OptionType::kChoiceSet:
      return choice_set(option, text);
    case OptionType::kInterval:
      return interval(text);
    case OptionType::kSize:
      return size(text);
    case OptionType::kSlotName:
      return slot_name(text);
    case OptionType::kAbsolutePath:
      return absolute_path(text);
    case OptionType::kTextList:
      return text_list(text);
    case OptionType::kCompressionLevel:
      return compression_level(text);
    case OptionType::kTablespaceLimits:
      return tablespace_limits(text);
    case OptionType::kRedundancy:
      return redundancy(text);
    case OptionType::kPathOrUrl:
      return path_or_url(text);
    case OptionType::kRetentionPolicy:
      return retention_policy(text);
  }
  std::abort();
}

}  // namespace

std::variant<Value, BadValue> parse_value(const Option& option, std::string_view text) {
  if (text == "None") text = {};
  if (text.empty() && may_be_empty(option)) return Value();
  if (text.empty() && !option.default_text.empty() && option.type != OptionType::kRedundancy) {
    return empty_is_bad(option);
  }
  return parse_non_empty(option, text);
}

std::chrono::seconds RetentionPolicy::window() const {
  using std::chrono::days;
  switch (unit) {
    case Unit::kRedundancy:
      return {};
    case Unit::kDays:
      return days(count);
    case Unit::kWeeks:
      return days(count * 7);
    case Unit::kMonths:
      return days(count * 31);
  }
  std::abort();
}

std::optional<RetentionPolicy> parse_retention_policy(std::string_view text) {
  const auto lowered = lower(text);
  const auto parts = words(lowered, kBlanks);
  if (parts.size() < 2 || parts.size() > 5) return std::nullopt;
  const bool window = parts.size() == 5 && parts[0] == "recovery" && parts[1] == "window" && parts[2] == "of";
  if (!window && (parts.size() != 2 || parts[0] != "redundancy")) return std::nullopt;
  const auto digits = parts[window ? 3 : 1];
  const auto count = decimal<std::int64_t>(digits);
  if (!count || digits.starts_with('-') || *count > kLongestCount) return std::nullopt;
  using Unit = RetentionPolicy::Unit;
  if (!window) return RetentionPolicy{Unit::kRedundancy, *count};
  if (parts[4] == "day" || parts[4] == "days") return RetentionPolicy{Unit::kDays, *count};
  if (parts[4] == "week" || parts[4] == "weeks") return RetentionPolicy{Unit::kWeeks, *count};
  if (parts[4] == "month" || parts[4] == "months") return RetentionPolicy{Unit::kMonths, *count};
  return std::nullopt;
}

std::string format_retention_policy(const RetentionPolicy& policy) {
  switch (policy.unit) {
    case RetentionPolicy::Unit::kRedundancy:
      return fmt::format("REDUNDANCY {}", policy.count);
    case RetentionPolicy::Unit::kDays:
      return fmt::format("RECOVERY WINDOW OF {} DAYS", policy.count);
    case RetentionPolicy::Unit::kWeeks:
      return fmt::format("RECOVERY WINDOW OF {} WEEKS", policy.count);
    case RetentionPolicy::Unit::kMonths:
      return fmt::format("RECOVERY WINDOW OF {} MONTHS", policy.count);
  }
  std::abort();
}

std::vector<std::pair<std::string, std::int64_t>> parse_tablespace_limits(std::string_view text) {
  std::vector<std::pair<std::string, std::int64_t>> limits;
  for (const auto item : words(text, " \t\n\v\f\r,")) {
    const auto colon = item.rfind(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    const auto limit = integer(item.substr(colon + 1));
    if (limit && *limit >= 0) limits.emplace_back(item.substr(0, colon), *limit);
  }
  return limits;
}

bool looks_like_conninfo(std::string_view text) {
  if (text.starts_with("postgresql://") || text.starts_with("postgres://")) return true;
  const auto skip_blanks = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  };
  for (skip_blanks(); !text.empty(); skip_blanks()) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    const auto key = trimmed(text.substr(0, equals));
    if (key.empty() || key.find_first_of(kBlanks) != std::string_view::npos) return false;
    text.remove_prefix(equals + 1);
    skip_blanks();
    const bool quoted = text.starts_with('\'');
    std::size_t end = quoted ? 1 : 0;
    while (end < text.size() && !(quoted ? text[end] == '\'' : is_blank(text[end]))) {
      end += text[end] == '\\' ? 2U : 1U;
    }
    if (quoted && end >= text.size()) return false;
    text.remove_prefix(std::min(end + (quoted ? 1U : 0U), text.size()));
  }
  return true;
}

bool is_url(std::string_view location) { return location.find("://") != std::string_view::npos; }

std::optional<std::string_view> cloud_provider_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const auto scheme = url.substr(0, scheme_end);
  const auto rest = url.substr(scheme_end + 3);
  const auto host = rest.substr(0, rest.find('/'));
  if (scheme == "s3" && !host.empty()) return "aws-s3";
  if (scheme == "gs" && !host.empty()) return "google-cloud-storage";
  static constexpr std::string_view kGoogleConsole = "console.cloud.google.com/storage/browser/";
  if (scheme == "https" && rest.starts_with(kGoogleConsole) && rest.size() > kGoogleConsole.size()) {
    return "google-cloud-storage";
  }
  const bool has_path = rest.size() > host.size() + 1;
  if (host.ends_with("blob.core.windows.net") && has_path) return "azure-blob-storage";
  return std::nullopt;
}

}  // namespace barman::config
