// What a check finds on our own disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/identity.h"
#include "config/settings.h"
#include "engine/check/answer.h"
#include "engine/events.h"
#include "engine/server/home.h"

namespace barman::engine {

struct ArchivedWal {
  bool empty = true;                    // nothing was ever archived
  std::uint64_t bytes_after = 0;        // of the WAL that came after the newest backup
  std::optional<double> newest_time{};  // of the newest WAL that belongs to it
};

struct LocalFacts {
  Answer<std::string> directories;  // empty if all are there, else which is not, and why
  Answer<std::size_t> incoming;     // WAL files that wait
  Answer<std::size_t> streaming;
  Answer<catalog::Listing> backups;
  Answer<ArchivedWal> wal;
  Answer<std::optional<catalog::Identity>> identity;
  Answer<std::map<std::string, std::size_t>> errors;  // entries of the errors directory by kind
  Answer<bool> receiver_running;
  Answer<bool> encryption;  // whether a trial succeeded; nobody asked if its options do not fit together
};

// Makes the server's directories if they are missing, unless it is disabled. All but `wal`; `backups` only if
// they are on this disk.
LocalFacts observe(const config::Server& server, const Home& home);
// `wal`, when `backups` are known.
void observe_wal(LocalFacts& facts, const Home& home, Events& events);

// The newest backup whose data is all there.
const catalog::BackupInfo* newest_available(const std::vector<catalog::BackupInfo>& backups);

}  // namespace barman::engine
