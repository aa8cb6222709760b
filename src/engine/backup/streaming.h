// Copies a cluster over the replication protocol (BASE_BACKUP), as pg_basebackup does.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "codec/detect.h"
#include "postgres/replication.h"

namespace barman {
class Clock;
namespace postgres {
class Connector;
struct ConnectOptions;
}  // namespace postgres
}  // namespace barman

namespace barman::engine {

class BackupStorage;
class Events;

// What the server does to the archives before it sends them (PostgreSQL 15 and later).
struct ServerCompression {
  codec::Compression kind{};
  std::string detail{};  // "level=3,workers=2"; empty: the server's usual ones
};

struct StreamingCopy {
  std::string conninfo;
  std::string application_name;
  std::string label;  // of the backup_label file
  bool fast_checkpoint = false;
  std::optional<std::uint32_t> max_rate_kib{};
  // Refused if the server is another one; nothing: not known.
  std::optional<std::string> system_identifier{};
  // Of the backup that this one is built on; nothing: a full one.
  std::optional<std::filesystem::path> parent_manifest{};
  std::optional<ServerCompression> server_compression{};
  // Links to tablespaces as a file tablespace_map instead: for archives that are kept as they are.
  bool tablespace_map = false;
  int retries = 0;  // after failures that may pass (kTransient)
  std::chrono::seconds pause{30};
  // Called whenever the server says that it waits for WAL to be archived; may be empty.
  std::function<void()> server_waits_for_wal{};
};

struct CopiedTablespace {
  std::uint32_t oid = 0;
  std::string location;  // on the server
};

struct StreamingOutcome {
  postgres::BackupPosition start;
  postgres::BackupPosition end;
  std::vector<CopiedTablespace> tablespaces;
  std::string label{};  // the text of the backup_label file
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::chrono::microseconds duration{0};  // of the attempt that succeeded
};

// Everything that the server's manifest lists is in `storage`, byte for byte, and nothing else; durable.
// Throws kCorrupt naming the first file that is not, kFailed when there is no room for what the server says
// it will send.
StreamingOutcome copy_by_streaming(const StreamingCopy& copy, BackupStorage& storage,
                                   postgres::Connector& connector, Clock& clock, Events& events,
                                   const std::stop_token& stop);

}  // namespace barman::engine
