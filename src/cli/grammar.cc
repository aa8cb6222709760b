#include "cli/grammar.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace barman::cli {
namespace {

std::string first_long_or_short(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return "-" + option.get_snames().front();
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

// The option that `name`, without dashes, or an unambiguous beginning of a name means; `name` becomes the
// whole name. None if no option begins like that. Throws UsageError if several do.
const CLI::Option* find_long(const CLI::App& app, std::string& name) {
  const CLI::Option* match = nullptr;
  std::vector<std::string> found;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& candidate : option->get_lnames()) {
      if (candidate == name) return option;
      if (!candidate.starts_with(name)) continue;
      // Two spellings of one option are no contradiction.
      if (option != match) found.push_back(candidate);
      match = option;
    }
  }
  if (found.size() > 1) {
    throw UsageError{fmt::format("ambiguous option: --{} could match --{}", name, fmt::join(found, ", --"))};
  }
  if (match != nullptr) name = found.front();
  return match;
}

const CLI::Option* find_short(const CLI::App& app, char letter) {
  for (const CLI::Option* option : app.get_options()) {
    if (std::ranges::find(option->get_snames(), std::string(1, letter)) != option->get_snames().end())
      return option;
  }
  return nullptr;
}

// Whether the word after a cluster of short options ("-qc") is the value of its last letter.
bool cluster_wants_value(const CLI::App& app, const std::string& cluster) {
  for (std::size_t at = 1; at < cluster.size(); ++at) {
    const CLI::Option* option = find_short(app, cluster[at]);
    if (option != nullptr && takes_value(*option)) return at + 1 == cluster.size();
  }
  return false;
}

std::string option_of(const std::string& message) { return message.substr(0, message.find_first_of(": ")); }

}  // namespace

std::string usage_line(const CLI::App& app, const std::string& name) {
  std::string line = "usage: " + name;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) continue;
    const std::string word =
        option == app.get_help_ptr() && !option->get_snames().empty() ? "-h" : first_long_or_short(*option);
    line += takes_value(*option) ? fmt::format(" [{} {}]", word, option->get_type_name())
                                 : fmt::format(" [{}]", word);
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) continue;
    const std::string word = option->get_name(true);
    if (!option->get_required()) {
      line += " [" + word + "]";
    } else {
      line += option->get_items_expected_max() > 1 ? fmt::format(" {0} [{0} ...]", word) : " " + word;
    }
  }
  if (name == "barman") line += " SUBCOMMAND ...";
  return line + "\n";
}

std::size_t complete_options(const CLI::App& app, const std::vector<std::string>& arguments,
                             std::size_t begin, bool stop_at_word, std::vector<std::string>& into) {
  std::size_t at = begin;
  for (; at < arguments.size(); ++at) {
    const std::string& word = arguments[at];
    if (word == "--") {
      if (stop_at_word) return at + 1;
      into.insert(into.end(), arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
      return arguments.size();
    }
    bool value_follows = false;
    if (word.starts_with("--")) {
      const std::size_t sign = word.find('=');
      std::string name = word.substr(2, sign == std::string::npos ? sign : sign - 2);
      const CLI::Option* option = find_long(app, name);
      if (option == nullptr) {
        into.push_back(word);
        continue;
      }
      if (sign != std::string::npos && !takes_value(*option) && option->get_items_expected_max() == 0) {
        throw UsageError{
            fmt::format("argument --{}: ignored explicit argument '{}'", name, word.substr(sign + 1))};
      }
      const bool has_value = sign != std::string::npos;
      value_follows = !has_value && takes_value(*option);
      if (has_value && sign + 1 < word.size()) {
        into.push_back("--" + name + word.substr(sign));
      } else {
        into.push_back("--" + name);
        if (has_value) into.emplace_back();  // "--name=" says that it is empty
      }
    } else if (word.size() > 1 && word[0] == '-') {
      into.push_back(word);
      value_follows = cluster_wants_value(app, word);
    } else {
      if (stop_at_word) return at;
      into.push_back(word);
    }
    if (value_follows && at + 1 < arguments.size()) into.push_back(arguments[++at]);
  }
  return at;
}

void parse(CLI::App& app, std::vector<std::string> words) {
  std::ranges::reverse(words);
  app.parse(words);
}

std::string usage_text(const CLI::App& command, const CLI::ParseError& error) {
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return "the following arguments are required: " + option_of(message);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return "argument " + option_of(message) + ": expected one argument";
  }
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) return "argument " + message;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return fmt::format("unrecognized arguments: {}", fmt::join(command.remaining(true), " "));
  }
  return message;
}

}  // namespace barman::cli
