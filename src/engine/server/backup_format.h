// In which form a server's backups are kept: what backup_compression, its companions and encryption say.
#pragma once

#include <optional>
#include <string>

#include "codec/detect.h"
#include "config/settings.h"

namespace barman::engine {

struct BackupFormat {
  bool is_tar = false;     // archives as the server sends them; otherwise plain files
  bool in_bucket = false;  // archives in any case; `is_tar`: compressed ones
  std::optional<codec::Compression> compression{};
  bool on_server = false;             // compressed there; into a bucket, then by us as well
  std::optional<int> level{};         // nothing: the usual one
  std::optional<unsigned> workers{};  // nothing: as many as there are cores for
  std::optional<std::string> key{};   // to encrypt for
  bool operator==(const BackupFormat&) const = default;
};

// Throws kUsage for options that cannot go together.
BackupFormat backup_format(const config::Server& server);

// Why a server of this version (server_version_num) cannot be backed up like that; nothing if it can.
std::optional<std::string> format_problem(const config::Server& server, int version);

}  // namespace barman::engine
