// WAL straight from the server's pg_wal into the archive, as archive_command on its host: the file stays
// where it is, and PostgreSQL removes it once we say that it is stored.
//
// Files that are ready behind the wanted one may be stored with it, several at a time. What was stored ahead
// of its time is remembered in <meta>/cloud-wal-stored-ahead, with the cluster that it is of and the time of
// the file, so that nothing else of the same name is ever taken for stored.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "engine/events.h"
#include "engine/server/home.h"
#include "engine/wal/wal_format.h"

namespace barman {
class Clock;
}

namespace barman::engine {

struct DirectArchiving {
  const Home& home;
  const WalFormat& format;
  unsigned parallel = 0;  // files at a time; more than one stores ahead
  Clock& clock;
  Events& events;
};

// Returns when the file is in the archive and in its index; the same WAL that is there already is success.
// Other WAL of that name is left, and this one copied into the errors directory, with a warning. Throws
// kRefused if the file is not what its name says or is of another cluster, kTransient and kFailed if it was
// not stored.
void archive_directly(const DirectArchiving& archiving, const std::filesystem::path& path,
                      const std::stop_token& stop);

}  // namespace barman::engine
