#include "engine/receive/source_server.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/server/identity.h"
#include "engine/server/inspect.h"
#include "postgres/session.h"

namespace barman::engine {

namespace {

constexpr int kReadsSlots = 150000;
constexpr std::chrono::seconds kPatience{30};

postgres::ConnectOptions options_of(const ReceiveSettings& settings, const std::stop_token& stop) {
  return {.application_name = settings.application_name, .timeout = kPatience, .stop = stop};
}

}  // namespace

SourceServer connect_source(const Home& home, const ReceiveSettings& settings, postgres::Connector& connector,
                            const std::stop_token& stop) {
  SourceServer server;
  server.replication = connector.replication(settings.streaming_conninfo, options_of(settings, stop));
  const postgres::SystemIdentity identity = server.replication->identify_system();
  const auto known = read_identity(home);
  if (known && known->systemid != identity.system_identifier) {
    throw Error(
        ErrorKind::kFailed,
        fmt::format(
            "the server is the PostgreSQL cluster {}, but {} says that the backups here are of the cluster "
            "{}. Check the connection strings; if the server was replaced on purpose, give the new one a "
            "server section of its own",
            identity.system_identifier, home.identity.string(), known->systemid));
  }
  server.system_identifier = identity.system_identifier;
  server.segment_size = server.replication->wal_segment_size();
  server.timeline = {.timeline = identity.timeline, .flushed = identity.flushed};
  if (identity.timeline > 1) {
    server.timeline.ancestors =
        pgformat::parse_history(server.replication->timeline_history(identity.timeline));
  }
  return server;
}

std::optional<postgres::SlotInfo> find_slot(const SourceServer& server, const ReceiveSettings& settings,
                                            postgres::Connector& connector, const std::stop_token& stop) {
  if (server.replication->server_version() >= kReadsSlots)
    return server.replication->read_slot(*settings.slot);
  const auto session = connector.session(settings.regular_conninfo, {.timeout = kPatience, .stop = stop});
  const auto slot = replication_slot(*session, *settings.slot);
  if (!slot) return std::nullopt;
  return postgres::SlotInfo{.restart_lsn = slot->restart_lsn};
}

const std::string& required_slot(const Home& home, const ReceiveSettings& settings) {
  if (settings.slot) return *settings.slot;
  throw Error(ErrorKind::kUsage, fmt::format("slot_name is not set for server '{}'", home.server));
}

}  // namespace barman::engine
