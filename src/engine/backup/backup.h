// barman backup: takes a base backup of a server and records it in the catalogue.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "catalog/catalog.h"
#include "config/settings.h"
#include "engine/server/home.h"

namespace barman {
class Clock;
namespace os {
class ProcessRunner;
}
namespace postgres {
class Connector;
}
namespace stream {
class Sink;
}
}  // namespace barman

namespace barman::engine {

class Events;

struct BackupRequest {
  std::optional<std::string> name{};
  std::optional<std::string> parent{};  // of an incremental backup: an id, a name, or a word like "latest"
  bool fast_checkpoint = false;
  std::int64_t bandwidth = 0;           // kilobytes a second at most; 0: no limit
  std::chrono::seconds keep_alive{60};  // of a connection that has nothing to say; 0: none
  int retries = 0;
  std::chrono::seconds retry_pause{30};
  bool wait = false;                   // for the WAL that the backup needs
  std::chrono::seconds wait_limit{0};  // zero: without end
};

// What the configuration says; the command line then changes some of it.
BackupRequest backup_request(const config::Server& server);

// A rate that the server accepts when it sends a backup: 0 means no limit. Throws kUsage for one that it does
// not.
std::optional<std::uint32_t> max_rate(std::int64_t kilobytes_a_second);

// Writes the manifest of a backup that is in a bucket, found wherever it is there. Returns false if there is
// none.
using FetchManifest = std::function<bool(const catalog::BackupInfo& info, stream::Sink& into)>;

// What a backup works with.
struct BackupSurroundings {
  const Home& home;
  const config::Server& server;
  catalog::Catalog& catalog;
  postgres::Connector& connector;
  os::ProcessRunner& runner;
  Clock& clock;
  Events& events;
  // One run of archive-wal.
  std::function<void()> archive_once;
  FetchManifest fetch_manifest{};
};

// Takes one backup and returns its record: DONE, WAITING_FOR_WALS, or FAILED (said to `events` as an error).
// Throws kBusy if another backup of the server is running, kCancelled (the record is FAILED) when a stop was
// requested, and whatever hindered it from beginning.
catalog::BackupInfo take_backup(const BackupRequest& request, const BackupSurroundings& around,
                                const std::stop_token& stop);

}  // namespace barman::engine
