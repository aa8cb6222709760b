#include "engine/cron/tasks.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "catalog/backup_info.h"
#include "os/lock_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kTasks = {"receive-wal", "sync-backup", "backup",
                                                    "cron",        "archive-wal", "sync-wal"};

std::vector<fs::path> lock_files(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.ends_with(".lock")) found.push_back(entry.path());
  }
  if (error)
    throw Error(ErrorKind::kFailed,
                "cannot read the lock directory " + folder.string() + ": " + error.message());
  std::sort(found.begin(), found.end());
  return found;
}

// The task that a lock file of the server belongs to; empty for other locks.
std::string_view task_of(const std::string& file, const std::string& server) {
  const std::string prefix = "." + server + "-";
  if (!file.starts_with(prefix)) return {};
  const std::string_view rest = std::string_view(file).substr(prefix.size());
  for (const std::string_view task : kTasks) {
    const std::string wanted = std::string(task) + ".lock";
    if (rest == wanted) return task;
    // That of sync-backup has the id of the backup in front; anything else there is another server's name.
    if (task == "sync-backup" && rest.ends_with("-" + wanted) &&
        catalog::is_backup_id(rest.substr(0, rest.size() - wanted.size() - 1))) {
      return task;
    }
  }
  return {};
}

}  // namespace

std::vector<Task> running_tasks(const Home& home) {
  std::vector<Task> tasks;
  for (const fs::path& path : lock_files(home.locks)) {
    const std::string_view name = task_of(path.filename().string(), home.server);
    if (name.empty()) continue;
    if (const auto pid = os::lock_owner(path)) tasks.push_back({.name = std::string(name), .pid = *pid});
  }
  return tasks;
}

Ended end_task(const Home& home, const std::string& name, Clock& clock, const std::stop_token& stop,
               pid_t& pid) {
  constexpr int kLooks = 10;
  const auto tasks = running_tasks(home);
  const auto task = std::find_if(tasks.begin(), tasks.end(), [&](const Task& candidate) {
    return candidate.name == name && candidate.pid > 0;
  });
  if (task == tasks.end()) return Ended::kNotRunning;
  pid = task->pid;
  if (::kill(pid, SIGINT) != 0) return Ended::kNo;
  for (int look = 0; look < kLooks * 10; ++look) {
    if (::kill(pid, 0) != 0) return Ended::kYes;
    if (!clock.sleep(std::chrono::milliseconds(100), stop)) break;
  }
  return Ended::kNo;
}

void clean_lock_files(const fs::path& folder) {
  for (const fs::path& path : lock_files(folder)) {
    if (auto lock = os::LockFile::try_acquire(path)) lock->unlink();
  }
}

}  // namespace barman::engine
