// The replication protocol: base backups, WAL streaming, slots. PostgreSQL 13 to 18 and later; both grammars
// of BASE_BACKUP (13, 14: words, a result set per archive; 15 and later: options in parentheses, one COPY
// stream). Source: PostgreSQL documentation, "Streaming Replication Protocol".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "pgformat/lsn.h"
#include "pgformat/wal_name.h"
#include "stream/stream.h"

namespace barman::postgres {

struct SystemIdentity {
  std::string system_identifier;
  pgformat::Timeline timeline = 0;
  pgformat::Lsn flushed;
};

struct BackupPosition {
  pgformat::Lsn lsn;
  pgformat::Timeline timeline = 0;
};

// Told about a base backup as it arrives, in this order: started, any number of archives one
// after the other, the manifest if it was asked for, ended. Each sink is finished before the next call.
class BaseBackupReceiver {
 public:
  virtual ~BaseBackupReceiver() = default;

  struct Tablespace {
    std::string oid;                            // empty for the data directory
    std::string location;                       // as the server knows it; empty for the data directory
    std::optional<std::uint64_t> size_bytes{};  // the server's estimate, when progress was asked for
  };

  virtual void started(const BackupPosition& start, std::span<const Tablespace> tablespaces) = 0;
  // The sink takes a complete tar stream, with the blocks of zeros at its end that servers before 15 leave
  // out.
  virtual std::unique_ptr<stream::Sink> archive(const Tablespace& tablespace) = 0;
  virtual std::unique_ptr<stream::Sink> manifest() = 0;
  virtual void ended(const BackupPosition& end) = 0;
  // A NOTICE or WARNING of the server ("waiting for required WAL segments to be archived").
  virtual void notice(std::string_view severity, std::string_view text) = 0;
};

struct BaseBackupOptions {
  std::string label;
  bool fast_checkpoint = false;
  bool manifest = true;                         // with CRC32C checksums
  bool progress = true;                         // have the server estimate sizes first
  std::optional<std::uint32_t> max_rate_kib{};  // MAX_RATE, kilobytes a second, 32 to 1048576
  // Have the server end the backup only when its own archiver has stored the WAL of it, as
  // "pg_basebackup --wal-method=none" does. A server that does not archive does not wait.
  bool wait_for_archiver = true;
  // A file tablespace_map in the place of the links in pg_tblspc: for archives that are kept as they are.
  bool tablespace_map = false;
  // Has the server compress the archives: "gzip", "lz4" or "zstd", and what it says more about it
  // ("level=3,workers=2"). PostgreSQL 15 and later.
  std::string compression{};
  std::string compression_detail{};
  // An incremental backup, on top of the one whose manifest this is; read to its end. PostgreSQL 17 and
  // later.
  stream::Source* parent_manifest = nullptr;
};

// Where received WAL goes. Calls come from the thread that runs stream_wal().
class WalReceiver {
 public:
  virtual ~WalReceiver() = default;

  // Bytes of WAL that start at `at`; consecutive within one timeline.
  virtual void write(pgformat::Lsn at, stream::Bytes data) = 0;
  // Called when no more data is at hand, and at least every few megabytes: makes what was written durable.
  // Returns the position up to which it is; that is what the server is told.
  virtual pgformat::Lsn flush() = 0;
  // The history file of a timeline that streaming goes to next; to be stored before streaming on it starts.
  virtual void history(pgformat::Timeline timeline, std::string_view name, std::string_view text) = 0;
  // The server's timeline ended at `end`; `next` continues from there.
  virtual void timeline_ended(pgformat::Timeline ended, pgformat::Lsn end, pgformat::Timeline next) = 0;
};

struct StreamOptions {
  pgformat::Lsn start;  // at the start of a segment
  pgformat::Timeline timeline = 1;
  std::optional<std::string> slot{};
  std::chrono::milliseconds status_interval{10000};
  // Feedback right after each flush rather than at the interval: for synchronous replication.
  bool prompt_feedback = true;
};

struct SlotInfo {
  std::optional<pgformat::Lsn> restart_lsn{};
  std::optional<pgformat::Timeline> restart_timeline{};
};

// One replication connection. Belongs to one thread. Throws kTransient when the connection is lost or refused
// for now, kFailed with the server's text otherwise; messages end with what to do next where we know it.
class Replication {
 public:
  virtual ~Replication() = default;

  [[nodiscard]] virtual int server_version() const = 0;

  virtual SystemIdentity identify_system() = 0;
  // "16MB" made bytes.
  virtual pgformat::SegmentSize wal_segment_size() = 0;
  // The text of the history file of a timeline after the first.
  virtual std::string timeline_history(pgformat::Timeline timeline) = 0;

  // Returns when the whole backup has arrived and the server has said that it is complete. Throws kCancelled
  // soon after `stop`; the connection is not usable after any failure.
  virtual void base_backup(const BaseBackupOptions& options, BaseBackupReceiver& receiver,
                           const std::stop_token& stop) = 0;

  // Streams until `stop` is requested (returns, having flushed and told the server) or the connection fails
  // (throws kTransient). Follows timeline switches.
  virtual void stream_wal(const StreamOptions& options, WalReceiver& receiver,
                          const std::stop_token& stop) = 0;

  // Physical slots. create throws kRefused if it exists.
  virtual void create_slot(const std::string& name, bool reserve_wal) = 0;
  virtual void drop_slot(const std::string& name) = 0;
  // Nothing if there is none. Needs PostgreSQL 15 (READ_REPLICATION_SLOT); use SQL before.
  virtual std::optional<SlotInfo> read_slot(const std::string& name) = 0;
};

}  // namespace barman::postgres
