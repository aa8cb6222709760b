#include "engine/backup/under_way.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/events.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"

namespace barman::engine {

namespace {

// Of a statement that is no copy: long enough for a busy server, not for ever.
constexpr std::chrono::minutes kStatementTime{5};

}  // namespace

std::unique_ptr<postgres::Session> BackupUnderWay::connect(const char* option) const {
  return around.connector.session(around.server.values.text(option),
                                  {.timeout = kStatementTime, .stop = stop});
}

std::string place_text(const BackupUnderWay& backup) {
  const Home& home = backup.around.home;
  if (!home.backup_bucket) return home.backup(backup.info.id).string();
  const std::string folder = backup_folder(backup.info.id);
  return home.backup_bucket->full_key(folder.substr(0, folder.size() - 1));
}

void try_on_server(const BackupUnderWay& backup, postgres::Session& session, const std::string& statement) {
  try {
    session.query(statement);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCancelled) throw;
    backup.around.events.log(LogLevel::kWarning, fmt::format("{}: {}", statement, e.what()));
  }
}

void warn_of_files_left_out(const BackupUnderWay& backup, const std::vector<std::string>& files) {
  const BackupSurroundings& around = backup.around;
  if (files.empty() || around.server.values.lists("backup_options", "external_configuration")) return;
  std::string text =
      "The following configuration files are outside the data directory and are not part of the backup; "
      "copy them by "
      "other means (backup_options = external_configuration silences this warning):";
  for (const std::string& file : files) text += "\n\t" + file;
  around.events.warning(text);
}

void switch_wal_of_primary(const BackupUnderWay& backup) {
  if (!backup.facts.in_recovery || !backup.around.server.values.has("primary_conninfo")) return;
  try {
    try_on_server(backup, *backup.connect("primary_conninfo"), "SELECT pg_catalog.pg_switch_wal()");
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kCancelled) throw;
    backup.around.events.log(LogLevel::kWarning, fmt::format("switching WAL on the primary: {}", e.what()));
  }
}

}  // namespace barman::engine
