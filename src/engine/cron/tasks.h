// Background work of a server as its lock files show it: who runs, who is to be started or ended.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/server/home.h"

namespace barman {
class Clock;
}

namespace barman::engine {

struct Task {
  std::string name;  // receive-wal, sync-backup, backup, cron, archive-wal, sync-wal
  pid_t pid = 0;
};

// The processes that hold a lock of the server now.
std::vector<Task> running_tasks(const Home& home);

enum class Ended { kYes, kNo, kNotRunning };

// Asks the first process of that task to end (SIGINT) and looks for ten seconds whether it did. `pid` gets
// whom.
Ended end_task(const Home& home, const std::string& name, Clock& clock, const std::stop_token& stop,
               pid_t& pid);

// Removes the lock files of `folder` that nobody holds, each while holding it.
void clean_lock_files(const std::filesystem::path& folder);

}  // namespace barman::engine
