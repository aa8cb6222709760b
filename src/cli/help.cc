#include <CLI/App.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "report/writer.h"

namespace barman::cli {

void register_help(CLI::App& app, Body& chosen) {
  app.add_subcommand("help", "Shows the help.")->callback([&chosen] {
    chosen = [](Parts& parts) {
      std::string text = help_text();
      while (text.ends_with('\n')) text.pop_back();
      parts.out.line(text);
      return 0;
    };
  });
}

}  // namespace barman::cli
