#include "report/fact.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/timestamp.h"
#include "report/writer.h"

namespace barman::report {
namespace {

using engine::Fact;

std::string python_quoted(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char mark = single ? '"' : '\'';
  std::string result(1, mark);
  for (const char c : text) {
    if (c == mark || c == '\\') result += '\\';
    result += c;
  }
  return result + mark;
}

std::string list_text(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  parts.reserve(words.size());
  for (const auto& word : words) parts.push_back(python_quoted(word));
  return fmt::format("{}", fmt::join(parts, ", "));
}

struct ToText {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(bool value) const { return python_bool(value); }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<std::string>& value) const {
    return fmt::format("[{}]", list_text(value));
  }
  std::string operator()(const std::map<std::string, std::int64_t>& value) const {
    std::vector<std::string> parts;
    parts.reserve(value.size());
    for (const auto& [name, number] : value)
      parts.push_back(fmt::format("{}: {}", python_quoted(name), number));
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  std::string operator()(const engine::WordSet& value) const {
    const auto words = value.words.empty() ? std::string() : fmt::format("{{{}}}", list_text(value.words));
    return fmt::format("{}({})", value.type, words);
  }
  std::string operator()(const engine::SlotFact& slot) const {
    return fmt::format("Record(slot_name={}, active={}, restart_lsn={})", python_quoted(slot.name),
                       python_bool(slot.active),
                       slot.restart_lsn ? python_quoted(*slot.restart_lsn) : "None");
  }
  std::string operator()(const catalog::Timestamp& value) const { return catalog::format_timestamp(value); }
  std::string operator()(const config::Interval& value) const {
    const auto days = std::chrono::floor<std::chrono::days>(value.length);
    const std::chrono::hh_mm_ss rest{value.length - days};
    auto time =
        fmt::format("{}:{:02}:{:02}", rest.hours().count(), rest.minutes().count(), rest.seconds().count());
    if (days.count() == 0) return time;
    return fmt::format("{} day{}, {}", days.count(), days.count() == 1 ? "" : "s", time);
  }
};

template <class T>
std::string dump(const T& value) {
  return nlohmann::json(value).dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
}

struct ToJson {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool value) const { return dump(value); }
  std::string operator()(std::int64_t value) const { return dump(value); }
  std::string operator()(double value) const { return dump(value); }
  std::string operator()(const std::string& value) const { return json_string(value); }
  std::string operator()(const std::vector<std::string>& value) const { return dump(value); }
  std::string operator()(const std::map<std::string, std::int64_t>& value) const { return dump(value); }
  template <class T>
  std::string operator()(const T& value) const {
    return json_string(ToText()(value));
  }
};

}  // namespace

std::string fact_text(const Fact& fact) { return std::visit(ToText(), fact); }

std::string fact_json(const Fact& fact) { return std::visit(ToJson(), fact); }

}  // namespace barman::report
