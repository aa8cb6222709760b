#include "config/resolve.h"

#include <fmt/format.h>

#include <optional>
#include <variant>

#include "base/error.h"
#include "config/value.h"

namespace barman::config {
namespace {

using Warnings = std::vector<std::string>;

std::string place(const Setting& setting) { return fmt::format("{}, line {}", setting.file, setting.line); }

void warn_unknown(std::string_view section, const Section& settings, bool (*belongs)(const Scope&),
                  Warnings& warnings) {
  for (const auto& setting : settings.settings) {
    if (setting.option != nullptr && belongs(setting.option->scope)) continue;
    warnings.push_back(
        fmt::format("Invalid configuration option \"{}\" in [{}] section.", setting.key, section));
  }
}

// Items that parse_value() left out.
void warn_limits(const Setting& setting, const Value& value, Warnings& warnings) {
  constexpr std::string_view kSeparators = " \t\n\v\f\r,";
  const auto* good = std::get_if<std::vector<std::string>>(&value);
  std::size_t items = 0;
  bool inside = false;
  for (const char c : setting.text) {
    const bool separator = kSeparators.find(c) != std::string_view::npos;
    items += !separator && !inside ? 1U : 0U;
    inside = !separator;
  }
  if (good == nullptr || good->size() == items) return;
  warnings.push_back(fmt::format(
      "Ignoring invalid items of tablespace_bandwidth_limit '{}' ({}): each is 'name:kilobytes per second'",
      setting.text, place(setting)));
}

// Nothing if the text is not a value of the option: that was warned about.
std::optional<Value> parsed(std::string_view section, const Setting& setting, Warnings& warnings) {
  auto result = parse_value(*setting.option, setting.text);
  if (const auto* bad = std::get_if<BadValue>(&result)) {
    warnings.push_back(
        fmt::format("Ignoring invalid configuration value '{}' for key {} in [{}] section: {} ({})",
                    setting.text, setting.key, section, bad->reason, place(setting)));
    return std::nullopt;
  }
  auto& value = std::get<Value>(result);
  if (setting.option->type == OptionType::kTablespaceLimits) warn_limits(setting, value, warnings);
  return std::move(value);
}

// The text of a default, with %(option)s replaced by values that were resolved before it. Nothing if one of
// them is unset.
std::optional<std::string> default_of(const Option& option, std::string_view name, const Values& values,
                                      const Values& global) {
  std::string result;
  auto rest = option.default_text;
  while (true) {
    const auto begin = rest.find("%(");
    result += rest.substr(0, begin);
    if (begin == std::string_view::npos) return result;
    const auto end = rest.find(")s", begin);
    const auto referred = rest.substr(begin + 2, end - begin - 2);
    if (referred == "name") {
      result += name;
    } else {
      const auto text = (find_option(referred)->scope.server ? values : global).optional_text(referred);
      if (!text) return std::nullopt;
      result += *text;
    }
    rest.remove_prefix(end + 2);
  }
}

bool is_set(const Value& value) { return !std::holds_alternative<std::monostate>(value); }

// Defaults that are the same for every server.
const Values& common_defaults() {
  static const Values kDefaults = [] {
    Values values;
    for (const auto& option : all_options()) {
      if (option.default_text.find('%') != std::string_view::npos || option.default_text.empty()) continue;
      values.set(option, std::get<Value>(parse_value(option, option.default_text)), "default");
    }
    return values;
  }();
  return kDefaults;
}

void set_default(const Option& option, std::string_view name, Values& values, const Values& global) {
  if (option.default_text.empty()) return;
  if (const auto& common = common_defaults().value(option); is_set(common)) {
    values.set(option, common, "default");
    return;
  }
  const auto text = default_of(option, name, values, global);
  if (!text) return;
  auto value = parse_value(option, *text);
  if (auto* good = std::get_if<Value>(&value)) values.set(option, std::move(*good), "default");
}

void require(std::string_view option, std::string_view section, const Values& values) {
  if (values.has(option)) return;
  throw Error(
      ErrorKind::kUsage,
      fmt::format("Parameter \"{}\" is required in [{}] section.\nThe configuration is missing required "
                  "parameters: add them and try again.",
                  option, section));
}

// The settings of a section by the row of their option.
std::vector<const Setting*> by_row(const Section& section) {
  std::vector<const Setting*> rows(all_options().size());
  for (const auto& setting : section.settings) {
    if (setting.option != nullptr) rows[row_of(*setting.option)] = &setting;
  }
  return rows;
}

// The original misspells keepalive_interval in [barman], so that files exist with either spelling.
Section with_right_spelling(const Section& section) {
  Section result = section;
  const auto* right = section.find("keepalive_interval");
  std::erase_if(result.settings, [](const Setting& s) { return s.key == "keepalive_internval"; });
  if (const auto* wrong = section.find("keepalive_internval"); wrong != nullptr && right == nullptr) {
    auto setting = *wrong;
    setting.key = "keepalive_interval";
    setting.option = find_option(setting.key);
    result.put(std::move(setting));
  }
  return result;
}

}  // namespace

Values resolve_global(const Section& section, Warnings& warnings) {
  const auto settings = with_right_spelling(section);
  // A server's own option is of no use here, but the original has never complained about it.
  warn_unknown(
      "barman", settings, [](const Scope& scope) { return scope.global || scope.server; }, warnings);
  Values values;
  const auto rows = by_row(settings);
  for (const auto& option : all_options()) {
    if (!option.scope.global) continue;
    if (const auto* setting = rows[row_of(option)]) {
      if (auto value = parsed("barman", *setting, warnings))
        values.set(option, std::move(*value), setting->file);
    }
    if (!option.scope.server && !is_set(values.value(option))) set_default(option, "barman", values, values);
  }
  require("barman_home", "barman", values);
  return values;
}

Values resolve_server(const std::string& name, const Section& section, const Values& global,
                      Warnings& warnings) {
  warn_unknown(
      name, section, [](const Scope& scope) { return scope.server; }, warnings);
  Values values;
  const auto rows = by_row(section);
  for (const auto& option : all_options()) {
    if (!option.scope.server) continue;
    const auto* setting = option.name == "disabled" ? nullptr : rows[row_of(option)];
    auto value = setting == nullptr ? std::nullopt : parsed(name, *setting, warnings);
    if (value) {
      values.set(option, std::move(*value), setting->file);
    } else if (option.scope.global && is_set(global.value(option))) {
      values.set(option, global.value(option), global.source(option));
    } else {
      set_default(option, name, values, global);
    }
  }
  return values;
}

Values resolve_model(const std::string& name, const Section& section, Warnings& warnings) {
  warn_unknown(
      name, section, [](const Scope& scope) { return scope.model; }, warnings);
  Values values;
  for (const auto& setting : section.settings) {
    if (setting.option == nullptr || !setting.option->scope.model) continue;
    if (auto value = parsed(name, setting, warnings)) {
      values.set(*setting.option, std::move(*value), setting.file);
    }
  }
  require("cluster", name, values);
  return values;
}

bool is_model(const std::string& name, const Section& section) {
  const auto* setting = section.find("model");
  if (setting == nullptr) return false;
  const auto value = parse_value(*setting->option, setting->text);
  if (const auto* bad = std::get_if<BadValue>(&value)) {
    throw Error(ErrorKind::kUsage, fmt::format("Invalid value '{}' for key model in [{}] section: {} ({})",
                                               setting->text, name, bad->reason, place(*setting)));
  }
  const auto* yes = std::get_if<bool>(&std::get<Value>(value));
  return yes != nullptr && *yes;
}

}  // namespace barman::config
