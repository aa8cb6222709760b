#include "engine/server/home.h"

#include "base/error.h"

namespace barman::engine {

std::filesystem::path Home::archived(const pgformat::WalName& name, std::string_view file_name) const {
  return wals / pgformat::hash_directory(name) / file_name;
}

Home home_of(const config::Server& server, const config::Configuration& configuration) {
  for (const char* option : {"basebackups_directory", "wals_directory"}) {
    if (server.values.text(option).find("://") != std::string::npos) {
      throw Error(ErrorKind::kFailed, "server " + server.name + ": " + option +
                                          " names object storage, which this build does not support; use a local path");
    }
  }
  const std::filesystem::path root = server.path("backup_directory");
  return Home{
      .server = server.name,
      .backup_directory = root,
      .meta = root / "meta",
      .base = server.path("basebackups_directory"),
      .wals = server.path("wals_directory"),
      .incoming = server.path("incoming_wals_directory"),
      .streaming = server.path("streaming_wals_directory"),
      .errors = server.path("errors_directory"),
      .xlogdb = server.path("xlogdb_directory") / (server.name + "-xlog.db"),
      .identity = root / "identity.json",
      .locks = configuration.global.text("barman_lock_directory"),
  };
}

}  // namespace barman::engine
