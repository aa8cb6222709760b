// barman lock-directory-cleanup: removes lock files that nobody holds.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/commands.h"
#include "config/settings.h"
#include "engine/cron/tasks.h"

namespace barman::cli {

void register_lock_directory_cleanup(CLI::App& app, Body& chosen) {
  app.add_subcommand("lock-directory-cleanup", "Removes lock files that nobody holds.")->callback([&chosen] {
    chosen = [](Parts& parts) {
      engine::clean_lock_files(parts.configuration.global.text("barman_lock_directory"));
      return 0;
    };
  });
}

}  // namespace barman::cli
