#include "os/disk.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "os/durable_file.h"

namespace barman::os {

namespace {

std::filesystem::path nearest_existing(std::filesystem::path path) {
  std::error_code ignored;
  while (!std::filesystem::exists(path, ignored)) {
    const std::filesystem::path above = path.parent_path();
    if (above.empty() || above == path) return above.empty() ? std::filesystem::path(".") : above;
    path = above;
  }
  return path;
}

dev_t device_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("cannot look at", path);
  return status.st_dev;
}

}  // namespace

std::uint64_t free_bytes(const std::filesystem::path& path) {
  const std::filesystem::path existing = nearest_existing(path);
  struct statvfs status {};
  if (::statvfs(existing.c_str(), &status) != 0) throw_errno("cannot look at the file system of", existing);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

bool same_file_system(const std::filesystem::path& one, const std::filesystem::path& other) {
  return device_of(nearest_existing(one)) == device_of(nearest_existing(other));
}

}  // namespace barman::os
