// The backup that an incremental one is built on: chosen and looked at before the server is asked for
// anything.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/backup/backup.h"
#include "engine/server/home.h"
#include "engine/server/inspect.h"

namespace barman::engine {

class Events;

// Throws kRefused if a server of this version and these settings cannot take incremental backups.
void require_incremental_server(const ServerFacts& facts, const std::string& server);

// Where what the catalogue does not have comes from.
struct ParentSources {
  // The history file of a timeline, from the server.
  std::function<std::string(pgformat::Timeline)> history;
  FetchManifest fetch_manifest{};
};

// The backup that `word` means. Throws kUsage if there is none; kRefused, saying why and what to do, if this
// server cannot build on it; kCorrupt if its manifest is damaged. Differences that a restore will only warn
// of are warnings. Afterwards Home::manifest() is there.
catalog::BackupInfo choose_parent(const Home& home, const std::vector<catalog::BackupInfo>& backups,
                                  const std::string& word, const ServerFacts& facts,
                                  const ParentSources& sources, Events& events);

// A summary of WAL, as the server has it.
struct WalSummary {
  pgformat::Lsn start;
  pgformat::Lsn end;
};

// The first stretch from `from` on that no summary covers although later ones exist; nothing if there is
// none. In any order.
std::optional<WalSummary> find_gap(std::vector<WalSummary> summaries, pgformat::Lsn from);

// Throws kRefused, naming the stretch, if the server no longer has the summaries that a backup on top of
// `parent` needs. A role that may not see them is not told.
void require_summaries(postgres::Session& session, const catalog::BackupInfo& parent, Events& events);

}  // namespace barman::engine
