// The configuration as values: what parsing leaves, ready for use. Made by config/load.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"

namespace barman::config {

// The effective value of every option of one section, with the file that supplied it. Options are named as in
// the option table. Throws std::logic_error when the code asks for an option that does not exist or for a
// type that it does not have.
class Values {
 public:
  [[nodiscard]] bool flag(std::string_view option) const;            // false if unset
  [[nodiscard]] std::int64_t number(std::string_view option) const;  // throws kUsage if unset
  [[nodiscard]] std::optional<std::int64_t> optional_number(std::string_view option) const;
  [[nodiscard]] std::string text(std::string_view option) const;  // empty if unset; numbers in decimal
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view option) const;  // csv sets and lists
  [[nodiscard]] std::optional<Interval> interval(std::string_view option) const;
  [[nodiscard]] bool has(std::string_view option) const;  // set to something
  [[nodiscard]] bool lists(std::string_view option, std::string_view member) const;

  [[nodiscard]] const Value& value(std::string_view option) const;
  [[nodiscard]] const std::string& source(std::string_view option) const;  // file, or "default"
  [[nodiscard]] const Value& value(const Option& option) const;
  [[nodiscard]] const std::string& source(const Option& option) const;
  void set(std::string_view option, Value value, std::string source);
  void set(const Option& option, Value value, std::string source);

 private:
  struct Entry {
    Value value;
    std::string source{"default"};
  };
  [[nodiscard]] const Entry& entry(const Option& option) const;
  std::vector<Entry> entries_;  // by row of the option table; empty while nothing is set
};

// One server: its options plus what was decided about it.
struct Server {
  std::string name;
  Values values;
  std::vector<std::string>
      messages;  // why it is disabled: see docs/configuration.md, "What disables a server"
  std::optional<std::string> active_model{};

  [[nodiscard]] bool active() const { return values.flag("active"); }
  [[nodiscard]] bool disabled() const { return !messages.empty(); }
  [[nodiscard]] bool passive() const { return values.has("primary_ssh_command"); }
  [[nodiscard]] std::filesystem::path path(std::string_view option) const { return values.text(option); }
};

struct Model {
  std::string name;
  Values values;  // only what the section sets
};

struct Configuration {
  std::filesystem::path main_file;  // as given
  Values global{};                  // [barman]
  std::map<std::string, Server> servers{};
  std::map<std::string, Model> models{};
  std::vector<std::string> warnings{};  // to be shown on every command
  std::vector<std::string> errors{};    // global errors: path conflicts between servers
};

}  // namespace barman::config
