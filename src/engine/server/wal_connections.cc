#include "engine/server/wal_connections.h"

#include <fmt/format.h>

namespace barman::engine {

WalConnections wal_connections(const config::Server& server) {
  const auto streaming = server.values.optional_text("wal_streaming_conninfo");
  const auto regular =
      server.values.has("wal_conninfo") ? server.values.optional_text("wal_conninfo") : streaming;
  WalConnections connections{.streaming = streaming.value_or(server.values.text("streaming_conninfo")),
                             .regular = regular.value_or(server.values.text("conninfo"))};
  std::string overrides;
  if (streaming) overrides = fmt::format("'streaming_conninfo' overridden with '{}'", *streaming);
  if (regular) {
    overrides += fmt::format("{}'conninfo' overridden with '{}'", overrides.empty() ? "" : " and ", *regular);
  }
  if (!overrides.empty()) connections.overrides = "Configuration overrides applied: " + overrides;
  return connections;
}

}  // namespace barman::engine
