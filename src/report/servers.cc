#include "report/servers.h"

#include <fmt/format.h>

#include "report/fact.h"

namespace barman::report {

void report_server_line(const std::string& name, const std::string& description, bool minimal, Writer& out) {
  out.line(minimal || description.empty() ? name : fmt::format("{} - {}", name, description));
  out.put({name, "description"}, json_string(description));
}

void report_server(const engine::ServerDescription& server, Writer& out) {
  out.line(fmt::format("Server {}:", server.heading));
  for (const auto& [name, fact] : server.facts) {
    out.line(fmt::format("\t{}: {}", name, fact_text(fact)));
    out.put({server.server, name}, fact_json(fact));
  }
}

}  // namespace barman::report
