// list-servers and show-servers.
#pragma once

#include <string>

#include "engine/show/servers.h"
#include "report/writer.h"

namespace barman::report {

// "name" or "name - description"; only the name if `minimal`. JSON has the description either way.
void report_server_line(const std::string& name, const std::string& description, bool minimal, Writer& out);

// All that is known of a server, a fact a line, in order of their names.
void report_server(const engine::ServerDescription& server, Writer& out);

}  // namespace barman::report
