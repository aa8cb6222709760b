// What list-servers and show-servers tell, as values.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "config/settings.h"
#include "engine/server/fact.h"

namespace barman::engine {

// "", " (inactive)" or " (WARNING: disabled)": what follows the name of a server in headings.
std::string state_suffix(const config::Server& server);

// The description as list-servers shows it: with the server's state behind it. Empty if there is nothing to
// say.
std::string description_with_state(const config::Server& server);

struct ServerDescription {
  std::string server;
  std::string heading;  // the name and its state
  Facts facts;
};

// The server's options, its `status` and how old its latest backup is.
ServerDescription describe_server(const config::Server& server, Facts status,
                                  const std::optional<Time>& latest_backup_end, Time now);

}  // namespace barman::engine
