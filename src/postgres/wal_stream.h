// START_REPLICATION: the conversation while WAL streams, over any number of timelines.
#pragma once

#include <stop_token>
#include <string>

#include "postgres/connection.h"
#include "postgres/replication.h"

namespace barman::postgres {

// See Replication::stream_wal. `segment_size` is the server's: a timeline is entered at the start of a
// segment.
void run_wal_stream(Connection& connection, const StreamOptions& options, pgformat::SegmentSize segment_size,
                    WalReceiver& receiver, const std::stop_token& stop);

// The text of a timeline's history file.
std::string fetch_history(Connection& connection, pgformat::Timeline timeline, SocketWait& wait);

}  // namespace barman::postgres
