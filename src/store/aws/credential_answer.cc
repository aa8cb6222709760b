#include "store/aws/credential_answer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

namespace barman::store {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Credentials> complete(Credentials credentials, std::string_view expires) {
  if (credentials.access_key.empty() || credentials.secret_key.empty()) return std::nullopt;
  // What goes into a header must not end it.
  for (const std::string* text : {&credentials.access_key, &credentials.session_token}) {
    if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < ' '; }))
      return std::nullopt;
  }
  if (!expires.empty()) {
    credentials.expires = parse_utc_time(expires);
    if (!credentials.expires) return std::nullopt;
  }
  return credentials;
}

std::optional<Credentials> parse_json(std::string_view text, const char* token) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return complete({.access_key = text_at(json, "AccessKeyId"),
                   .secret_key = text_at(json, "SecretAccessKey"),
                   .session_token = text_at(json, token)},
                  text_at(json, "Expiration"));
}

// So many digits at the front, which are taken away.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<Time> time_of(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// hh:mm:ss
struct Daytime {
  int hour = 0;
  int minute = 0;
  int second = 0;
};
std::optional<Daytime> take_daytime(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  return Daytime{*hour, *minute, *second};
}

// "Z", "+01:00" or nothing.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (text.empty() || text == "Z") return std::chrono::minutes(0);
  const int sign = text.front() == '-' ? -1 : 1;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  take(text, ":");
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || !text.empty()) return std::nullopt;
  return sign * (std::chrono::hours(*hours) + std::chrono::minutes(*minutes));
}

}  // namespace

std::optional<Credentials> parse_service_credentials(std::string_view json) {
  return parse_json(json, "Token");
}

std::optional<Credentials> parse_process_credentials(std::string_view json) {
  return parse_json(json, "SessionToken");
}

std::optional<Credentials> parse_sts_credentials(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node node = document.find_node(
      [](const pugi::xml_node& one) { return std::string_view(one.name()) == "Credentials"; });
  return complete({.access_key = node.child_value("AccessKeyId"),
                   .secret_key = node.child_value("SecretAccessKey"),
                   .session_token = node.child_value("SessionToken")},
                  node.child_value("Expiration"));
}

std::optional<Time> parse_utc_time(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, "T")) return std::nullopt;
  const auto time = take_daytime(text);
  if (!time) return std::nullopt;
  if (take(text, ".")) text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  const auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  const auto instant = time_of(*year, *month, *day, time->hour, time->minute, time->second);
  if (!instant) return std::nullopt;
  return *instant - *offset;
}

std::optional<Time> parse_http_time(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  text.remove_prefix(comma + 2);
  const auto day = take_number(text, 2);
  if (!day || !take(text, " ") || text.size() < 4) return std::nullopt;
  const auto* const month = std::ranges::find(kMonths, text.substr(0, 3));
  text.remove_prefix(3);
  if (month == kMonths.end() || !take(text, " ")) return std::nullopt;
  const auto year = take_number(text, 4);
  if (!year || !take(text, " ")) return std::nullopt;
  const auto time = take_daytime(text);
  if (!time || text != " GMT") return std::nullopt;
  return time_of(*year, static_cast<int>(month - kMonths.begin()) + 1, *day, time->hour, time->minute,
                 time->second);
}

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'') {
      if (++at == line.size()) return std::nullopt;
      words.back() += line[at];
    } else {
      words.back() += c;
    }
  }
  if (quote != '\0') return std::nullopt;
  return words;
}

}  // namespace barman::store
