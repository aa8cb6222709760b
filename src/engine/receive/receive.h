// receive-wal: streams a server's WAL into its streaming folder, for as long as it is let.
//
// What a server was told is safe, is: synced before it is reported. What comes next is decided from what is
// on disk (start_point.h), so that a receiver may be killed at any moment. A connection that breaks after WAL
// has come is made again; anything else ends the receiver, and cron starts the next.
#pragma once

#include <sys/types.h>

#include <optional>
#include <stop_token>
#include <string>

#include "engine/events.h"
#include "engine/server/home.h"

namespace barman {
class Clock;
namespace postgres {
class Connector;
class Replication;
}  // namespace postgres
}  // namespace barman

namespace barman::engine {

struct ReceiveSettings {
  std::string streaming_conninfo;
  std::string regular_conninfo;  // to read slots of PostgreSQL 13 and 14, which the protocol cannot
  std::string application_name;  // what synchronous_standby_names lists
  std::optional<std::string> slot{};
  bool create_slot = false;  // if it does not exist
};
ReceiveSettings receive_settings(const config::Server& server);

// Returns when a stop was requested, having told the server all that is safe. Throws kBusy if another process
// receives for this server; kFailed if the server refuses, has removed the WAL that comes next, or is not the
// cluster whose WAL is here.
void receive_wal(const Home& home, const ReceiveSettings& settings, postgres::Connector& connector,
                 Clock& clock, Events& events, const std::stop_token& stop);

enum class ResetOutcome { kAligned, kReset };

// Makes the next receive_wal() start where the server is, whatever gap that leaves. Throws kFailed if what is
// here is ahead of the server, kBusy as above.
ResetOutcome reset_receiving(const Home& home, const ReceiveSettings& settings,
                             postgres::Connector& connector, Events& events, const std::stop_token& stop);

struct StoppedReceiver {
  pid_t pid = 0;
  bool gone = false;  // false: it still runs ten seconds after it was asked to stop
};

// Asks the process that receives for this server to stop, and waits for it; nothing if there is none.
std::optional<StoppedReceiver> stop_receiver(const Home& home, Clock& clock);

// Says what it does. Throws kRefused if the slot exists, unless `or_keep`; kFailed if none is free.
void create_slot(const Home& home, const ReceiveSettings& settings, bool or_keep,
                 postgres::Connector& connector, Events& events, const std::stop_token& stop);

// Throws kFailed if there is none, unless `if_exists`; kBusy if somebody uses it.
void drop_slot(const Home& home, const ReceiveSettings& settings, bool if_exists,
               postgres::Connector& connector, Events& events, const std::stop_token& stop);

}  // namespace barman::engine
