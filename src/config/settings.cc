#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include "base/error.h"

namespace barman::config {
namespace {

[[noreturn]] void wrong_type(std::string_view option) {
  throw std::logic_error(fmt::format("option '{}' is asked for as a type that it does not have", option));
}

// The alternative T of the value, or nothing if it is unset.
template <class T>
const T* as(const Value& value, std::string_view option) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  const auto* held = std::get_if<T>(&value);
  if (held == nullptr) wrong_type(option);
  return held;
}

const Option& known(std::string_view name) {
  const auto* option = find_option(name);
  if (option == nullptr) throw std::logic_error(fmt::format("there is no option '{}'", name));
  return *option;
}

}  // namespace

const Values::Entry& Values::entry(const Option& option) const {
  static const Entry kUnset;
  const auto row = row_of(option);
  return row < entries_.size() ? entries_[row] : kUnset;
}

bool Values::flag(std::string_view option) const {
  const auto* held = as<bool>(value(option), option);
  return held != nullptr && *held;
}

std::int64_t Values::number(std::string_view option) const {
  if (const auto held = optional_number(option)) return *held;
  throw Error(ErrorKind::kUsage,
              fmt::format("option '{}' is needed here: set it in the configuration", option));
}

std::optional<std::int64_t> Values::optional_number(std::string_view option) const {
  const auto* held = as<std::int64_t>(value(option), option);
  return held == nullptr ? std::nullopt : std::optional(*held);
}

std::string Values::text(std::string_view option) const { return optional_text(option).value_or(""); }

std::optional<std::string> Values::optional_text(std::string_view option) const {
  if (const auto* number = std::get_if<std::int64_t>(&value(option))) return std::to_string(*number);
  const auto* held = as<std::string>(value(option), option);
  return held == nullptr ? std::nullopt : std::optional(*held);
}

std::vector<std::string> Values::list(std::string_view option) const {
  const auto* held = as<std::vector<std::string>>(value(option), option);
  return held == nullptr ? std::vector<std::string>() : *held;
}

std::optional<Interval> Values::interval(std::string_view option) const {
  const auto* held = as<Interval>(value(option), option);
  return held == nullptr ? std::nullopt : std::optional(*held);
}

bool Values::has(std::string_view option) const {
  return !std::holds_alternative<std::monostate>(value(option));
}

bool Values::lists(std::string_view option, std::string_view member) const {
  const auto* held = as<std::vector<std::string>>(value(option), option);
  return held != nullptr && std::ranges::find(*held, member) != held->end();
}

const Value& Values::value(std::string_view option) const { return entry(known(option)).value; }

const Value& Values::value(const Option& option) const { return entry(option).value; }

const std::string& Values::source(std::string_view option) const { return entry(known(option)).source; }

const std::string& Values::source(const Option& option) const { return entry(option).source; }

void Values::set(std::string_view option, Value value, std::string source) {
  set(known(option), std::move(value), std::move(source));
}

void Values::set(const Option& option, Value value, std::string source) {
  if (entries_.empty()) entries_.resize(all_options().size());
  entries_[row_of(option)] = {std::move(value), std::move(source)};
}

}  // namespace barman::config
