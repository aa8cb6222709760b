#include "os/file_system_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/durable_file.h"

namespace barman::os {

FileSystemSync::FileSystemSync(const std::filesystem::path& folder)
    : folder_(folder), fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) throw_errno("cannot open", folder_);
}

void FileSystemSync::finish() {
  if (::syncfs(fd_.get()) != 0) throw_errno("cannot make durable what was written below", folder_);
}

}  // namespace barman::os
