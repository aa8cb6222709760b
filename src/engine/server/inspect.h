// What a PostgreSQL server says of itself: the facts that check, backup, switch-wal and show-servers decide
// by.
//
// Every function is a round trip or two on the given session; names are qualified, so that objects in a
// hostile search_path are never called. A fact that the role may not see is absent, never an error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_info.h"
#include "pgformat/lsn.h"
#include "pgformat/wal_name.h"

namespace barman::postgres {
class Session;
}

namespace barman::engine {

// PostgreSQL 13: older servers are not backed up, as ServerFacts::version.
inline constexpr int kOldestVersion = 130000;

struct ServerFacts {
  int version = 0;           // server_version_num
  std::string version_text;  // "15.18"
  bool in_recovery = false;
  bool superuser = false;
  bool backup_privileges = false;      // may start and stop a backup, switch WAL, set restore points
  bool monitoring_privileges = false;  // may read all settings and statistics
  bool may_checkpoint = false;         // superuser or member of pg_checkpoint (15 and later)
  std::optional<std::string> system_identifier{};
  pgformat::SegmentSize segment_size = pgformat::kDefaultSegmentSize;
  std::optional<pgformat::Timeline> timeline{};
  std::map<std::string, std::string, std::less<>> settings{};  // those of kSettings that are visible
  std::vector<std::string> included_files{};                   // other files that settings came from

  // A setting's value; nothing if the server has no such setting or hides it.
  [[nodiscard]] std::optional<std::string> setting(std::string_view name) const;
};

// Two round trips.
ServerFacts inspect(postgres::Session& session);

// Where writing (on a standby: replay) is. On a standby there is no name. From PostgreSQL 17 on, a
// position at the very start of a segment names that segment; we keep the older meaning, the one before.
struct WalPosition {
  pgformat::Lsn lsn;
  std::optional<std::string> wal{};
  std::optional<std::uint64_t> offset{};
  catalog::Timestamp now;  // the server's clock
};
WalPosition wal_position(postgres::Session& session, const ServerFacts& facts);

// All but pg_default and pg_global.
std::vector<catalog::Tablespace> tablespaces(postgres::Session& session);

// Sum over all tablespaces, in bytes; nothing without the privilege. Reads directories on the server: slow on
// large clusters, so not part of inspect().
std::optional<std::uint64_t> cluster_size(postgres::Session& session);

struct Slot {
  bool active = false;
  std::optional<pgformat::Lsn> restart_lsn{};
  std::optional<std::string> wal_status{};  // "reserved", "lost" …
};
std::optional<Slot> replication_slot(postgres::Session& session, const std::string& name);

// pg_stat_archiver, as text as the server writes it.
struct ArchiverStatistics {
  std::uint64_t archived_count = 0;
  std::uint64_t failed_count = 0;
  std::optional<std::string> last_archived_wal{};
  std::optional<std::string> last_archived_time{};
  std::optional<std::string> last_failed_wal{};
  std::optional<std::string> last_failed_time{};
  std::optional<std::string> stats_reset{};
  std::optional<std::string> archived_per_second{};  // decimal, as precise as the server has it
  // archive_mode is on and no failure is newer than the last success (failures of history files do not
  // count).
  bool is_archiving = false;
};
std::optional<ArchiverStatistics> archiver_statistics(postgres::Session& session);

}  // namespace barman::engine
