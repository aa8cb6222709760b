// What the command lines of all our programs have in common: words as the programs of the original take and
// describe them. Long options may be abbreviated.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <vector>

namespace barman::cli {

// A mistake in the command line, in words.
struct UsageError {
  std::string text;
};

// "usage: barman backup [-h] [--name NAME] SERVER_NAME [SERVER_NAME ...]"
std::string usage_line(const CLI::App& app, const std::string& name);

class HelpFormat final : public CLI::Formatter {
 public:
  explicit HelpFormat(std::string name) : name_(std::move(name)) { column_width(34); }
  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    return usage_line(*app, name_);
  }

 private:
  std::string name_;
};

// Copies arguments, the long names of options completed. With `stop_at_word` up to the first word that is no
// option, else all; "--" ends the options. Returns where the next word is. Throws UsageError.
std::size_t complete_options(const CLI::App& app, const std::vector<std::string>& arguments,
                             std::size_t begin, bool stop_at_word, std::vector<std::string>& into);

void parse(CLI::App& app, std::vector<std::string> words);

// What went wrong, in the words that callers of the original know.
std::string usage_text(const CLI::App& command, const CLI::ParseError& error);

}  // namespace barman::cli
