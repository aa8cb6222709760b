#include "engine/backup/sweep.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "engine/events.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/home.h"
#include "os/durable_file.h"
#include "store/bucket.h"

namespace barman::engine {

using catalog::BackupId;
using catalog::BackupInfo;
using catalog::BackupStatus;

namespace {

using Ids = std::set<BackupId>;

// One of ours without a size: it failed before all was copied, not for want of WAL.
bool came_to_nothing(const BackupInfo& info) {
  return info.status == BackupStatus::kFailed && info.mode && !info.size;
}

bool is_of_one(const std::string& key, const Ids& ids) {
  const auto id = backup_of_key(key);
  return id && ids.contains(*id);
}

std::string all_backups() { return fmt::format("{}/", kCloudBackups); }

// Why something of a backup is still there.
std::map<BackupId, std::string> remove_all_but_records(store::Bucket& bucket, const Ids& dead) {
  std::vector<std::string> keys;
  bucket.list(all_backups(), [&](const store::ObjectInfo& object) {
    if (is_of_one(object.key, dead) && object.key != backup_info_key(*backup_of_key(object.key))) {
      keys.push_back(object.key);
    }
    return true;
  });
  std::map<BackupId, std::string> left;
  for (const store::NotRemoved& one : bucket.remove_all(keys)) {
    if (const auto id = backup_of_key(one.key)) left.emplace(*id, one.key + ": " + one.reason);
  }
  return left;
}

void take_back(store::Bucket& bucket, const Home& home, const Ids& dead, Events& events) {
  const auto left = remove_all_but_records(bucket, dead);
  for (const BackupId& id : dead) {
    const auto why = left.find(id);
    if (why == left.end()) {
      os::remove_file(home.manifest(id));
    } else {
      tell_not_taken_back(home, id, why->second.c_str(), events);
    }
  }
}

void withdraw_uploads_of(store::Bucket& bucket, const Ids& failed) {
  for (const auto& upload : bucket.unfinished_uploads(all_backups())) {
    if (is_of_one(upload.key, failed)) bucket.withdraw(upload);
  }
}

// Why it failed, unless somebody stopped it.
template <class Body>
std::optional<std::string> problem_of(const Body& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    return error.what();
  }
}

}  // namespace

void sweep(store::Bucket& bucket, const Home& home, const std::vector<BackupInfo>& existing,
           const std::vector<BackupId>& settled, Events& events) {
  Ids dead(settled.begin(), settled.end());
  Ids failed;
  for (const BackupInfo& info : existing) {
    if (came_to_nothing(info)) dead.insert(info.id);
    if (info.status == BackupStatus::kFailed) failed.insert(info.id);
  }
  if (!dead.empty()) {
    if (const auto problem = problem_of([&] { take_back(bucket, home, dead, events); })) {
      events.warning(fmt::format(
          "What failed backups left in the bucket could not be removed: {}. The next backup tries again.",
          *problem));
    }
  }
  if (const auto problem = problem_of([&] { withdraw_uploads_of(bucket, failed); })) {
    events.log(LogLevel::kWarning, fmt::format("looking for unfinished uploads: {}", *problem));
  }
}

void tell_not_taken_back(const Home& home, const BackupId& id, const char* reason, Events& events) {
  events.warning(fmt::format(
      "What was stored of backup {} could not be taken back: {}. Remove it with: barman delete {} {}",
      id.text, reason, home.server, id.text));
}

}  // namespace barman::engine
