// Where what arrives of a base backup is kept.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "codec/tar_reader.h"
#include "postgres/replication.h"
#include "stream/stream.h"

namespace barman::engine {

class ReceivedFiles;

// Told about a base backup in the order in which it arrives, as postgres::BaseBackupReceiver is. What arrives
// is looked at before it comes here, so that names and links are safe; whether it is all of the backup, and
// undamaged, is known only when finish() is called.
class BackupStorage {
 public:
  using Tablespace = postgres::BaseBackupReceiver::Tablespace;

  virtual ~BackupStorage() = default;

  // An attempt begins: what an earlier one left is lost.
  virtual void begin() = 0;
  // The folder that gets about as many bytes as the server sends; nothing if nobody can say how many it gets.
  [[nodiscard]] virtual std::optional<std::filesystem::path> folder_to_fill() const = 0;
  // A tablespace that is kept apart from the data directory.
  virtual void add_tablespace(const Tablespace& tablespace) = 0;

  // What becomes of an archive: `whole` gets it as it was sent, `entries` one by one what is in it. Either
  // may be nothing.
  struct Archive {
    std::unique_ptr<stream::Sink> whole{};
    std::unique_ptr<codec::TarReceiver> entries{};
  };
  virtual Archive archive(const Tablespace& tablespace) = 0;
  virtual std::unique_ptr<stream::Sink> manifest() = 0;

  // Everything is there, as the manifest says. Returns when it is stored for good.
  virtual void finish(const std::stop_token& stop) = 0;

  // The name of a file that arrived and is not in the manifest, if what is kept tells it.
  virtual std::optional<std::string> find_unlisted(ReceivedFiles& received) = 0;
};

// A tablespace in place (a test feature of the server) is a folder inside the data directory.
inline bool is_in_place(const BackupStorage::Tablespace& tablespace) {
  return !tablespace.oid.empty() && !tablespace.location.starts_with('/');
}

inline constexpr std::string_view kTablespaceLinks = "pg_tblspc/";
inline constexpr std::string_view kManifestFile = "backup_manifest";

}  // namespace barman::engine
