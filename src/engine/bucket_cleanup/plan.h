// bucket-cleanup: what dead runs left in the buckets of a server, found out before anything is touched.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/server/bucket_remover.h"
#include "engine/server/home.h"

namespace barman::engine {

// Something that nobody needs.
struct LeftOver {
  enum class Kind {
    kUpload,  // an upload that nobody finished
    kBackup,  // objects of a backup without a record
    kTrial,   // an object that a check put
  };
  Kind kind = Kind::kUpload;
  std::shared_ptr<BucketHome> home{};
  std::string name{};  // of the object, or of the backup's folder, as the bucket has it
  std::vector<std::string> keys{};
  store::UnfinishedUpload upload{};
  catalog::BackupId backup{};  // of kBackup
  std::optional<std::uint64_t> bytes{};
  Time newest{};  // when it was begun, or the last of its objects was written
};

struct CleanupPlan {
  std::vector<LeftOver> left_overs{};
  std::vector<std::string> notes{};  // what looks like a left-over and stays, and why
};

// What nobody has touched for `limit`. The caller holds the server's backup lock and its server is active: so
// no backup of this host is under way.
//
//  - uploads below base/ and wals/, but those of a backup that others may be taking: its record in the bucket
//    says so, or it has no record yet and something of it is younger;
//  - the objects of a backup, if neither the bucket nor this host has a record or a keep mark of it, no other
//    is built on it, nobody holds its lock, and none of its objects and uploads is younger. With
//    rules.check_locks, not if one of them is locked;
//  - what checks put.
//
// Makes no change. Throws what the bucket throws.
CleanupPlan plan_cleanup(const Home& home, const RemovalRules& rules, std::chrono::hours limit, Time now);

// Whether the backup of a left-over is still as it was planned. Asked before it is removed.
bool is_unchanged(const LeftOver& left_over);

}  // namespace barman::engine
