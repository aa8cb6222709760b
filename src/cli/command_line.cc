#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"

namespace barman::cli {
namespace {

// The interface that scripts ask for, then our own version.
constexpr const char* kVersionLine = "3.20.1 Barman (native) " BARMAN_VERSION "\n";

// A mistake in the command line, in words.
struct UsageError {
  std::string text;
};

std::string first_long_or_short(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return "-" + option.get_snames().front();
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

// "usage: barman backup [-h] [--name NAME] SERVER_NAME [SERVER_NAME ...]"
std::string usage_line(const CLI::App& app, const std::string& name) {
  std::string line = "usage: " + name;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) continue;
    const std::string word = option == app.get_help_ptr() ? "-h" : first_long_or_short(*option);
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
  if (app.get_parent() == nullptr) line += " SUBCOMMAND ...";
  return line + "\n";
}

class HelpFormat final : public CLI::Formatter {
 public:
  explicit HelpFormat(std::string name) : name_(std::move(name)) { column_width(34); }
  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    return usage_line(*app, name_);
  }

 private:
  std::string name_;
};

std::unique_ptr<CLI::App> global_app(GlobalOptions& options, bool& version) {
  auto app = std::make_unique<CLI::App>("Backs up PostgreSQL servers and restores them to any point in time.",
                                        "barman");
  app->set_help_flag("-h,--help", "show this help and exit");
  app->add_flag("-v,--version", version, "show the version and exit");
  app->add_option("-c,--config", options.config, "use this configuration file only")->type_name("FILE");
  app->add_option("--color,--colour", options.colour, "colours in the output: never, always or auto")
      ->type_name("WHEN")
      ->check(one_of({"never", "always", "auto"}));
  app->add_option("--log-level", options.log_level, "instead of the configured log_level")
      ->type_name("LEVEL")
      ->check(one_of({"NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}));
  app->add_flag("-q,--quiet", options.quiet, "print nothing but warnings and errors");
  app->add_flag("-d,--debug", options.debug, "print debug messages on standard error");
  app->add_option_function<std::string>(
         "-f,--format", [&options](const std::string& word) { options.json = word == "json"; },
         "output format: console or json")
      ->type_name("FORMAT")
      ->check(one_of({"console", "json"}));
  for (CLI::Option* option : app->get_options())
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app->formatter(std::make_shared<HelpFormat>("barman"));
  return app;
}

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

// Copies arguments, the long names of options completed. With `stop_at_word` up to the first word that is no
// option, else all; "--" ends the options. Returns where the next word is.
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
      into.push_back(sign == std::string::npos ? "--" + name : "--" + name + word.substr(sign));
      value_follows = sign == std::string::npos && takes_value(*option);
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

std::string option_of(const std::string& message) { return message.substr(0, message.find_first_of(": ")); }

// What went wrong, in the words that callers of the original know.
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

CommandLine usage_error(const std::string& usage, const std::string& name, const std::string& text) {
  CommandLine result;
  result.exit_status = 2;
  result.err = usage + name + ": error: " + text + "\n";
  return result;
}

CommandLine said(std::string text) {
  CommandLine result;
  result.exit_status = 0;
  result.out = std::move(text);
  return result;
}

std::string unknown_command_text(std::span<const CommandRow> commands, const std::string& word) {
  std::vector<std::string_view> names;
  for (const CommandRow& row : commands) names.push_back(row.name);
  return fmt::format("argument command: invalid choice: '{}' (choose from '{}')", word,
                     fmt::join(names, "', '"));
}

CommandLine not_in_this_build(const std::string& word) {
  CommandLine result;
  result.exit_status = 1;
  result.err = fmt::format(
      "ERROR: this build does not have the command '{}' yet; see 'barman --help' for those it has\n", word);
  return result;
}

// Parses what follows the name of a command, whose options are the only ones set up.
void parse_command(CommandLine& result, const CommandRow& row, const std::vector<std::string>& arguments,
                   std::size_t begin) {
  const std::string name = "barman " + std::string(row.name);
  CLI::App app("", "barman");
  row.add(app, result.body);
  CLI::App* command = app.get_subcommand(std::string(row.name));
  command->formatter(std::make_shared<HelpFormat>(name));
  try {
    std::vector<std::string> words{std::string(row.name)};
    complete_options(*command, arguments, begin, false, words);
    parse(app, std::move(words));
    result.command = row.name;
  } catch (const CLI::CallForHelp&) {
    result = said(command->help());
  } catch (const CLI::ParseError& error) {
    result = usage_error(usage_line(*command, name), name, usage_text(app, error));
  } catch (const UsageError& error) {
    result = usage_error(usage_line(*command, name), name, error.text);
  }
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments,
                               std::span<const CommandRow> commands) {
  CommandLine result;
  bool version = false;
  const std::unique_ptr<CLI::App> app = global_app(result.options, version);
  try {
    std::vector<std::string> words;
    const std::size_t at = complete_options(*app, arguments, 0, true, words);
    parse(*app, words);
    if (version) return said(kVersionLine);
    const std::string word = at < arguments.size() ? arguments[at] : "help";
    if (const CommandRow* row = find_command(commands, word)) {
      parse_command(result, *row, arguments, at + 1);
      return result;
    }
    if (is_known_elsewhere(word)) return not_in_this_build(word);
    throw UsageError{unknown_command_text(commands, word)};
  } catch (const CLI::CallForHelp&) {
    return said(help_text());
  } catch (const CLI::ParseError& error) {
    return usage_error(usage_line(*app, "barman"), "barman", usage_text(*app, error));
  } catch (const UsageError& error) {
    return usage_error(usage_line(*app, "barman"), "barman", error.text);
  }
}

std::string help_text() {
  GlobalOptions unused;
  bool no_version = false;
  std::string text = global_app(unused, no_version)->help();
  text += "\nSubcommands:\n";
  for (const CommandRow& row : all_commands()) text += fmt::format("  {:<32}{}\n", row.name, row.summary);
  return text + "\n'barman SUBCOMMAND --help' tells more about each.\n";
}

}  // namespace barman::cli
