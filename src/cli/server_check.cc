#include "cli/server_check.h"

#include "base/clock.h"
#include "cli/home.h"
#include "codec/gpg.h"
#include "config/settings.h"
#include "engine/check/check.h"
#include "engine/logged_events.h"
#include "engine/server/encryption.h"
#include "engine/server/support.h"
#include "engine/switch_wal/switch_wal.h"
#include "engine/wal/archive.h"
#include "os/lock_file.h"
#include "postgres/connector.h"
#include "postgres/session.h"
#include "report/writer.h"
#include "stream/memory.h"

namespace barman::cli {
namespace {

// Whether WAL gets into the archive: that which has arrived, else the segment that the server writes now.
bool wal_arrives(Parts& parts, const config::Server& server, std::chrono::seconds limit,
                 const std::stop_token& stop) {
  if (engine::unsupported(server, engine::Verb::kArchiveWal)) return false;
  const engine::Home home = home_of(parts, server);
  const engine::ArchiveSettings settings = engine::archive_settings(server, parts.runner);
  engine::LoggedEvents events(parts.out);
  bool arrived = false;
  const auto archive_once = [&] {
    const engine::ArchiveResult result = engine::archive_wal(
        home, settings, engine::ArchiveTalk::kWhenThereAreFiles, parts.clock, events, stop);
    arrived = arrived || !result.archived.empty();
  };
  archive_once();
  if (arrived) return true;
  // Nobody brings WAL: waiting would not help.
  if (!server.values.flag("archiver") && !os::lock_owner(home.receive_lock())) return false;
  const std::optional<std::string> primary = server.values.optional_text("primary_conninfo");
  const auto session = parts.connector.session(primary ? *primary : server.values.text("conninfo"),
                                               {.timeout = limit, .stop = stop});
  engine::switch_wal(*session, false);
  return engine::wait_for_wal(
             archive_once, [&] { return arrived; }, limit, parts.clock, stop) ==
         engine::WaitOutcome::kArchived;
}

void try_encryption(Parts& parts, const config::Server& server, const std::stop_token& stop) {
  codec::require_gpg(parts.runner, engine::gpg_of(server), stop);
  std::string message;
  const auto path = stream::chain(
      codec::gpg_encrypt(parts.runner, engine::gpg_of(server), engine::encryption_key(server).value_or("")),
      std::make_unique<stream::AppendTo>(message));
  path->write(stream::bytes_of("whether the key can be used"));
  path->finish();
}

engine::CheckRequest request_for(Parts& parts, const config::Server& server, const engine::Home& home,
                                 std::optional<std::chrono::seconds> timeout) {
  return {
      .server = server,
      .home = home,
      .open_home = [&parts, &server](const std::stop_token& stop) { return home_of(parts, server, stop); },
      .timeout = timeout,
      .wal_arrives = [&parts, &server](
                         std::chrono::seconds limit,
                         const std::stop_token& stop) { return wal_arrives(parts, server, limit, stop); },
      .try_encryption = [&parts,
                         &server](const std::stop_token& stop) { try_encryption(parts, server, stop); }};
}

}  // namespace

engine::CheckReport check_server(Parts& parts, const config::Server& server,
                                 std::optional<std::chrono::seconds> timeout) {
  engine::LoggedEvents events(parts.out);
  return engine::Checker(parts.connector, parts.clock, events)
      .check(request_for(parts, server, home_of(parts, server), timeout), parts.stop);
}

bool may_backup(Parts& parts, const config::Server& server, std::optional<std::chrono::seconds> timeout) {
  return engine::may_proceed(check_server(parts, server, timeout), parts.out);
}

}  // namespace barman::cli
