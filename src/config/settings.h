// The configuration as values: what parsing leaves, ready for use. Made by config/load.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/option.h"

namespace barman::config {

// The effective value of every option of one section, keyed by its row in the option table, with the file
// that supplied it. Typed accessors throw std::logic_error only when the code asks for the wrong type.
class Values {
 public:
  [[nodiscard]] bool flag(std::string_view option) const;
  [[nodiscard]] std::int64_t number(std::string_view option) const;  // throws kUsage if unset
  [[nodiscard]] std::optional<std::int64_t> optional_number(std::string_view option) const;
  [[nodiscard]] std::string text(std::string_view option) const;  // empty if unset
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view option) const;  // csv sets and lists
  [[nodiscard]] bool has(std::string_view option) const;                       // set to something

  [[nodiscard]] const Value& value(std::string_view option) const;
  [[nodiscard]] const std::string& source(std::string_view option) const;  // file, or "default"
  void set(std::string_view option, Value value, std::string source);

 private:
  struct Entry {
    Value value;
    std::string source;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

// One server: its options plus what was decided about it.
struct Server {
  std::string name;
  Values values;
  std::vector<std::string>
      messages;  // why it is disabled: see reference "Combinations that disable a server"
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
  Values global;                    // [barman]
  std::map<std::string, Server> servers;
  std::map<std::string, Model> models;
  std::vector<std::string> warnings;  // to be shown on every command
  std::vector<std::string> errors;    // global errors: path conflicts between servers
};

}  // namespace barman::config
