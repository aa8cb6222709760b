// The server that WAL is received from, connected and recognised.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/receive/receive.h"
#include "engine/receive/start_point.h"
#include "postgres/connector.h"
#include "postgres/replication.h"

namespace barman::engine {

struct SourceServer {
  std::unique_ptr<postgres::Replication> replication;
  std::string system_identifier;
  ServerTimeline timeline;
  pgformat::SegmentSize segment_size = 0;
};

// Throws kFailed if it is another cluster than the one that the home's backups are of.
SourceServer connect_source(const Home& home, const ReceiveSettings& settings, postgres::Connector& connector,
                            const std::stop_token& stop);

// The slot of the settings, wherever the server's version lets it be read; nothing if there is none.
std::optional<postgres::SlotInfo> find_slot(const SourceServer& server, const ReceiveSettings& settings,
                                            postgres::Connector& connector, const std::stop_token& stop);

// The name of the slot. Throws kUsage if none is configured.
const std::string& required_slot(const Home& home, const ReceiveSettings& settings);

}  // namespace barman::engine
