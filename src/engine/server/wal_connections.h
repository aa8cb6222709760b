// Which connections receive WAL and watch that: they may lead to another server (a standby) than those of
// backups.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"

namespace barman::engine {

struct WalConnections {
  std::string streaming;  // wal_streaming_conninfo, else streaming_conninfo
  std::string regular;    // wal_conninfo, else wal_streaming_conninfo, else conninfo
  // Which settings were put in the place of which, for people; nothing if none. May hold secrets.
  std::optional<std::string> overrides{};
};

WalConnections wal_connections(const config::Server& server);

}  // namespace barman::engine
