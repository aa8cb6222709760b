// barman diagnose: everything that is known, as one JSON document.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/home.h"
#include "config/settings.h"
#include "engine/diagnose/diagnosis.h"
#include "report/diagnosis.h"
#include "report/writer.h"

namespace barman::cli {

void register_diagnose(CLI::App& app, Body& chosen) {
  const auto with_sources = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("diagnose", "Shows all that is known of servers and backups.");
  command->add_flag("--show-config-source", *with_sources, "say which file each option comes from");
  command->callback([with_sources, &chosen] {
    chosen = [with_sources](Parts& parts) {
      const auto home = [&parts](const config::Server& server) { return home_of(parts, server); };
      auto diagnosis = engine::diagnose(parts.configuration, home, parts.connector, parts.runner,
                                        parts.clock.now(), parts.out, parts.stop);
      diagnosis.system["barman_ver"] = "3.20.1";
      parts.out.notice(report::diagnosis_text(diagnosis, *with_sources));
      return 0;
    };
  });
}

}  // namespace barman::cli
