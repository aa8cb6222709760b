// backup.info: what is recorded about one backup, as a value. Format page: docs/formats/backup-info.md.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pgformat/lsn.h"

namespace barman::catalog {

// YYYYMMDDThhmmss, local time. Ordered as text.
struct BackupId {
  std::string text;
  auto operator<=>(const BackupId&) const = default;
};
bool is_backup_id(std::string_view text);

enum class BackupStatus { kEmpty, kStarted, kWaitingForWals, kDone, kSyncing, kFailed };
std::string_view format_status(BackupStatus status);  // "WAITING_FOR_WALS"

// An instant, with the offset from UTC that it was written with.
struct Timestamp {
  Time instant;
  std::chrono::seconds offset{0};
  bool operator==(const Timestamp&) const = default;
};

struct Tablespace {
  std::string name;
  std::uint32_t oid = 0;
  std::string location;
  bool operator==(const Tablespace&) const = default;
};

// Fields and their order are the file's. An absent or "None" field is an empty optional or container.
struct BackupInfo {
  BackupId id;  // from the file's name, not in the text

  std::optional<std::string> backup_label{};
  std::optional<std::string> backup_name{};
  std::optional<std::uint64_t> begin_offset{};
  std::optional<Timestamp> begin_time{};
  std::optional<std::string> begin_wal{};
  std::optional<pgformat::Lsn> begin_xlog{};
  std::vector<BackupId> children_backup_ids{};
  std::optional<std::uint64_t> cluster_size{};
  std::optional<std::string> compression{};
  std::optional<std::string> config_file{};
  std::optional<std::string> copy_stats{};  // a Python dict literal, kept as its text
  std::optional<std::string> data_checksums{};
  std::optional<std::uint64_t> deduplicated_size{};
  std::optional<std::string> encryption{};
  std::optional<std::uint64_t> end_offset{};
  std::optional<Timestamp> end_time{};
  std::optional<std::string> end_wal{};
  std::optional<pgformat::Lsn> end_xlog{};
  std::optional<std::string> error{};
  std::optional<std::string> hba_file{};
  std::optional<std::string> ident_file{};
  std::vector<std::string> included_files{};
  std::optional<std::string> mode{};
  std::optional<BackupId> parent_backup_id{};
  std::optional<std::string> pgdata{};
  std::optional<std::string> server_name{};
  std::optional<std::uint64_t> size{};
  std::optional<std::string> snapshots_info{};  // a Python dict literal, kept as its text
  BackupStatus status = BackupStatus::kEmpty;
  std::optional<std::string> summarize_wal{};
  std::optional<std::string> systemid{};
  std::vector<Tablespace> tablespaces{};
  std::optional<pgformat::Timeline> timeline{};
  std::optional<int> version{};  // server_version_num
  std::optional<std::uint64_t> xlog_segment_size{};
};

// Throws kCorrupt, naming line and field: a line without "=", a value that is not of its type, an unknown key
// (a newer Barman wrote it), a text cut short. Nothing in it is trusted: ids, names and paths are checked.
BackupInfo parse_backup_info(const BackupId& id, std::string_view text);
std::string format_backup_info(const BackupInfo& info);

enum class BackupType { kRsync, kFull, kIncremental, kSnapshot };
BackupType backup_type(const BackupInfo& info);

// DONE or WAITING_FOR_WALS: all data is there.
bool is_available(const BackupInfo& info);

}  // namespace barman::catalog
