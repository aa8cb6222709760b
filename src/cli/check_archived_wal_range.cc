// barman check-archived-wal-range: whether a range of segments is archived without a gap.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/server_catalog.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/archived_wal/segment_range.h"
#include "report/archived_wal.h"
#include "report/writer.h"

namespace barman::cli {

namespace {

void check_range(Parts& parts, const config::Server& server, const report::RangeEnds& ends) {
  const engine::Stretch range = engine::parse_segment_range(ends.begin, ends.end);
  const ServerCatalog opened(server, parts);
  report::begin_wal_range(server.name, ends, parts.out);
  const auto size = engine::recorded_segment_size(opened.catalog.list().backups);
  if (!size) {
    parts.out.error(
        fmt::format("No backup found for server '{}': cannot determine WAL segment size", server.name));
    return;
  }
  report::report_wal_range(server.name, ends, engine::missing_in_archive(opened.home, range, *size), *size,
                           parts.out);
}

}  // namespace

void register_check_archived_wal_range(CLI::App& app, Body& chosen) {
  auto server_name = std::make_shared<std::string>();
  auto ends = std::make_shared<report::RangeEnds>();
  CLI::App* command = app.add_subcommand("check-archived-wal-range",
                                         "Checks that all WAL segments of a range are in the archive, and "
                                         "names those that are not.");
  command->add_option("server_name", *server_name, "The server.")->required();
  command->add_option("begin_wal", ends->begin, "The first segment.")->required();
  command->add_option("end_wal", ends->end, "The last segment, on the same timeline.")->required();
  command->callback([server_name, ends, &chosen] {
    chosen = [server_name, ends](Parts& parts) {
      const config::Server* server = select_server(parts, *server_name, {.disabled = Then::kRun});
      if (server != nullptr) check_range(parts, *server, *ends);
      return 0;
    };
  });
}

}  // namespace barman::cli
