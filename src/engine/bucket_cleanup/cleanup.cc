#include "engine/bucket_cleanup/cleanup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "engine/server/bucket_home.h"
#include "os/lock_file.h"

namespace barman::engine {
namespace {

std::string remove_objects(const LeftOver& left_over, const RemovalRules& rules, const Clock& clock) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> failed =
      BucketRemover(left_over.home->bucket(), rules, clock).try_to_remove(left_over.keys);
  if (failed.empty()) return {};
  const std::size_t count = failed.size();
  failed.resize(std::min(count, kNamed));
  return fmt::format("{} of {} objects could not be removed: {}{}", count, left_over.keys.size(),
                     fmt::join(failed, "; "), count > kNamed ? "; ..." : "");
}

std::string remove_backup(const Home& home, const LeftOver& left_over, const RemovalRules& rules,
                          const Clock& clock) {
  auto lock = os::LockFile::try_acquire(home.id_lock(left_over.backup));
  if (!lock) return "it is in use by another process; try again later";
  if (!is_unchanged(left_over)) return "somebody changed it just now; look again later";
  std::string failure = remove_objects(left_over, rules, clock);
  lock->unlink();
  return failure;
}

std::string remove(const Home& home, const LeftOver& left_over, const RemovalRules& rules,
                   const Clock& clock) {
  switch (left_over.kind) {
    case LeftOver::Kind::kUpload:
      left_over.home->bucket().withdraw(left_over.upload);
      return {};
    case LeftOver::Kind::kBackup:
      return remove_backup(home, left_over, rules, clock);
    case LeftOver::Kind::kTrial:
      return remove_objects(left_over, rules, clock);
  }
  return {};
}

}  // namespace

void clean_up(const Home& home, const CleanupPlan& plan, const RemovalRules& rules, const Clock& clock,
              const Removed& removed, const std::stop_token& stop) {
  for (const LeftOver& left_over : plan.left_overs) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped before all was removed");
    std::string failure;
    try {
      failure = remove(home, left_over, rules, clock);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kFailed && error.kind() != ErrorKind::kRefused) throw;
      failure = error.what();
    }
    removed(left_over, failure);
  }
}

}  // namespace barman::engine
