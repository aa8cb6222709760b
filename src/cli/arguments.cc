#include "cli/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "catalog/backup_info.h"
#include "config/option.h"
#include "config/settings.h"
#include "config/value.h"

namespace barman::cli {
namespace {

std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void add_backup_arguments(CLI::App& command, std::string& server, std::string& backup, const char* shortcut) {
  command.add_option("server_name", server, "The server.")->required();
  command
      .add_option("backup_id", backup,
                  fmt::format("The backup: its id, its name, or a shortcut such as {}.", shortcut))
      ->required();
}

std::string non_negative(const std::string& argument) {
  const std::optional<std::int64_t> value = integer(argument);
  if (value && *value >= 0) return "";
  return fmt::format("'{}' is not a valid non negative integer", argument);
}

std::string positive(const std::string& argument) {
  const std::optional<std::int64_t> value = integer(argument);
  if (!value) return fmt::format("'{}' is not a valid input", argument);
  return *value >= 1 ? "" : fmt::format("'{}' is not a valid positive integer", argument);
}

std::string timeline_word(const std::string& argument) {
  return argument == "current" || argument == "latest" ? "" : positive(argument);
}

std::string backup_name(const std::string& argument) {
  constexpr std::array<std::string_view, 8> kReserved = {"latest",      "last",        "oldest",    "first",
                                                         "last-failed", "latest-full", "last-full", "auto"};
  if (argument.empty()) return "Backup name cannot be empty";
  if (catalog::is_backup_id(argument)) {
    return fmt::format("Backup name '{}' is not allowed: backup ID", argument);
  }
  if (std::ranges::find(kReserved, argument) != kReserved.end()) {
    return fmt::format("Backup name '{}' is not allowed: reserved word", argument);
  }
  return "";
}

std::string target_action(const std::string& argument) {
  constexpr std::array<std::string_view, 3> kActions = {"pause", "shutdown", "promote"};
  if (std::ranges::find(kActions, argument) != kActions.end()) return "";
  return fmt::format("'{}' is not a valid recovery target action", argument);
}

std::function<std::string(const std::string&)> value_of(std::string option) {
  return [option = std::move(option)](const std::string& argument) -> std::string {
    const auto value = config::parse_value(*config::find_option(option), argument);
    const auto* bad = std::get_if<config::BadValue>(&value);
    return bad != nullptr ? fmt::format("'{}': {}", argument, bad->reason) : "";
  };
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> choices) {
  return [choices = std::move(choices)](const std::string& argument) -> std::string {
    if (std::ranges::find(choices, argument) != choices.end()) return "";
    return fmt::format("invalid choice: '{}' (choose from '{}')", argument, fmt::join(choices, "', '"));
  };
}

unsigned files_at_a_time(const std::string& given, const config::Server& server, const char* option) {
  constexpr std::int64_t kMost = 64;
  std::int64_t count = server.values.optional_number(option).value_or(0);
  std::from_chars(given.data(), given.data() + given.size(), count);
  return static_cast<unsigned>(std::clamp<std::int64_t>(count, 0, kMost));
}

}  // namespace barman::cli
