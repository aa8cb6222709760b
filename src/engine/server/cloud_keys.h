// Names of objects in a bucket: the layout that Barman's own programs use. Every name is made and parsed
// here.
//
//   base/<backup>/data.tar[.gz|.bz2|.snappy|.xz|.zst|.lz4][.gpg], data_0001.tar[...], <oid>.tar[...]
//   base/<backup>/backup.info, base/<backup>/backup_manifest, base/<backup>/annotations/<name>
//   wals/<timeline and log>/<wal>[.gz|...][.gpg], wals/<timeline>.history[...]
//   base/.barman-check-<digits>[-<word>...], wals/.barman-check-...: what checks put there for a moment
//
// All below the path of the URL and the name of the server, which the store adds. Barman's own programs take
// what is encrypted for something that is not theirs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/backup_info.h"
#include "codec/detect.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

inline constexpr std::string_view kCloudWals = "wals";
inline constexpr std::string_view kCloudBackups = "base";

// ".gz", ".zst", …
std::string_view cloud_suffix(codec::Compression compression);

// Parts a name from its suffixes: "x.gz.gpg" is x, compressed, then encrypted.
struct CloudName {
  std::string plain;
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
};
CloudName without_cloud_suffix(std::string_view name);

// "wals/0000000100000000/000000010000000000000001.gz"
std::string wal_key(const pgformat::WalName& parsed, std::string_view name,
                    std::optional<codec::Compression> compression, bool encrypted = false);

// "wals/0000000100000000/", or "wals/", where all are.
std::string cloud_wal_folder(std::string_view folder = {});

struct CloudWal {
  std::string key;
  std::string name;  // without suffixes
  pgformat::WalName parsed;
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
};
// Nothing if the key is not where a WAL file would be.
std::optional<CloudWal> parse_wal_key(std::string_view key);

// "base/20261122T133001/"
std::string backup_folder(const catalog::BackupId& id);
std::string backup_info_key(const catalog::BackupId& id);
// The server's manifest as it is, beside the one in the archive of the data directory.
std::string manifest_key(const catalog::BackupId& id);
std::string annotation_key(const catalog::BackupId& id, std::string_view name);

// An archive of a backup: one of the series of its data directory or of a tablespace.
struct CloudArchiveName {
  std::string stem;     // "data", or the object id of a tablespace
  unsigned number = 0;  // in the series; the first has none in its name
  std::optional<codec::Compression> compression{};
  bool encrypted = false;
  bool operator==(const CloudArchiveName&) const = default;
};
inline constexpr std::string_view kDataArchive = "data";

// "base/20261122T133001/data_0001.tar.zst.gpg"
std::string archive_key(const catalog::BackupId& id, const CloudArchiveName& name);
// What comes behind backup_folder(). Nothing if it is not the name of an archive.
std::optional<CloudArchiveName> parse_cloud_archive_name(std::string_view name);

// The backup in whose folder the key is, if any.
std::optional<catalog::BackupId> backup_of_key(std::string_view key);

// An object that a check puts into `folder`, "base" or "wals", and removes again. `tail` begins with a digit.
std::string trial_key(std::string_view folder, std::string_view tail);
bool is_trial_key(std::string_view key);

}  // namespace barman::engine
