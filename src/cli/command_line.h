// The grammar of the command line: barman [GLOBAL OPTIONS] SUBCOMMAND [OPTIONS] ARGUMENTS.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/commands.h"

namespace barman::cli {

struct GlobalOptions {
  std::optional<std::string> config{};
  std::string colour = "auto";  // never, always, auto
  std::optional<std::string> log_level{};
  bool quiet = false;
  bool debug = false;
  bool json = false;
};

// What is to be done now: either `body` with `options`, or nothing more than to print and exit.
struct CommandLine {
  GlobalOptions options{};
  std::string command{};  // canonical name
  Body body{};
  int failure_status = 1;  // of a failure that has no other

  std::optional<int> exit_status{};  // set: print `out` and `err`, and exit
  std::string out{};
  std::string err{};
};

// `arguments` without the program's name. Never prints, reads no file.
CommandLine parse_command_line(const std::vector<std::string>& arguments,
                               std::span<const CommandRow> commands = all_commands());

// What `barman --help` prints.
std::string help_text();

}  // namespace barman::cli
