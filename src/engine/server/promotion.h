// Whether a backup has all the WAL that it needs: what turns WAITING_FOR_WALS into DONE.
#pragma once

#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/server/home.h"

namespace barman::engine {

struct Promotion {
  catalog::BackupStatus status = catalog::BackupStatus::kWaitingForWals;
  std::optional<std::string> error{};  // when FAILED
  bool operator==(const Promotion&) const = default;
};

// What the archive says about a backup now: DONE, WAITING_FOR_WALS or FAILED. Nothing if the backup's end is
// not known. A segment that is missing although younger ones are archived makes it FAILED, unless that
// segment waits in incoming or streaming: then it only arrived out of order.
std::optional<Promotion> judge_promotion(const Home& home, const catalog::BackupInfo& info);

// Judges a backup that is DONE or WAITING_FOR_WALS, and changes its record if the verdict is another; what
// else the record says by now stays. Returns the record as it is then. The caller holds the backup lock or
// the lock of this id, so that nobody deletes it.
catalog::BackupInfo promote(const Home& home, catalog::Catalog& catalog, catalog::BackupInfo info);

}  // namespace barman::engine
