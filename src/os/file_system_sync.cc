#include "os/file_system_sync.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "os/durable_file.h"
#include "os/tree.h"

namespace barman::os {

namespace {

constexpr unsigned kWorkers = 8;  // they mostly wait for the disk

bool failures_are_reported() {
  utsname system{};
  unsigned major = 0;
  unsigned minor = 0;
  if (::uname(&system) != 0 || std::sscanf(system.release, "%u.%u", &major, &minor) != 2) return false;
  return major > 5 || (major == 5 && minor >= 8);
}

}  // namespace

FileSystemSync::FileSystemSync(const std::filesystem::path& folder)
    : folder_(folder), fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) throw_errno("cannot open", folder_);
}

void FileSystemSync::finish(const std::stop_token& stop) {
  if (!failures_are_reported()) return sync_tree(folder_, kWorkers, stop);
  if (::syncfs(fd_.get()) != 0) throw_errno("cannot make durable what was written below", folder_);
}

}  // namespace barman::os
