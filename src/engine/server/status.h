// What PostgreSQL says of itself, as the facts that show-servers and diagnose show.
#pragma once

#include <stop_token>

#include "config/settings.h"
#include "engine/server/fact.h"

namespace barman::postgres {
class Connector;
}

namespace barman::engine {

// Asks a server that is active and not passive; of others nothing is known. A server that does not answer
// within `check_timeout` is no failure: its facts are unknown then, and "connection_error" says why.
// Throws kCancelled.
Facts server_status(const config::Server& server, postgres::Connector& connector,
                    const std::stop_token& stop);

}  // namespace barman::engine
