// The messages inside the COPY streams of the replication protocol, as values.
// Source: PostgreSQL documentation, "Streaming Replication Protocol".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgformat/lsn.h"
#include "stream/stream.h"

namespace barman::postgres {

// Of BASE_BACKUP, from PostgreSQL 15 on. Everything borrows from the message.
struct NewArchive {
  std::string_view file_name;     // "base.tar", "16399.tar"
  std::string_view tablespace{};  // its location; empty for the data directory
};
struct ManifestBegins {};
struct BackupData {  // of the archive or manifest that began last
  stream::Bytes bytes;
};
struct BackupProgress {
  std::uint64_t bytes_done = 0;
};
using BackupMessage = std::variant<NewArchive, ManifestBegins, BackupData, BackupProgress>;

// Throws kFailed for anything else.
BackupMessage parse_backup_message(stream::Bytes message);

// Of START_REPLICATION.
struct WalData {
  pgformat::Lsn start;
  stream::Bytes bytes;
};
struct Keepalive {
  pgformat::Lsn wal_end;
  bool reply_wanted = false;
};
using StreamMessage = std::variant<WalData, Keepalive>;

// Throws kFailed for anything else.
StreamMessage parse_stream_message(stream::Bytes message);

// What the server is told about what we have. Positions are just past the last byte.
struct StandbyStatus {
  pgformat::Lsn written;
  pgformat::Lsn flushed;
  bool reply_wanted = false;
};
std::vector<std::byte> format_standby_status(const StandbyStatus& status,
                                             std::chrono::system_clock::time_point now);

}  // namespace barman::postgres
