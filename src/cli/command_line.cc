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
#include "cli/grammar.h"

namespace barman::cli {
namespace {

// The interface that scripts ask for, then our own version.
constexpr const char* kVersionLine = "3.20.1 Barman (native) " BARMAN_VERSION "\n";

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
    result.failure_status = row.failure_status;
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
