#include "os/copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/fd.h"
#include "os/write_back.h"

namespace barman::os {

namespace {

constexpr std::size_t kKernelPiece = 8 * 1024 * 1024;
constexpr std::size_t kMemoryPiece = 256 * 1024;

void look_for_stop(const CopyOptions& options) {
  if (options.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
}

void tell(const CopyOptions& options, std::uint64_t size) {
  if (options.copied) options.copied(size);
}

// Has the disk begin with a large file while it is copied, so that the sync at the end finds little left to
// do. A hint only.
void start_write_back(int to, std::uint64_t before, std::uint64_t now) {
  if (before / kWriteBackBytes == now / kWriteBackBytes) return;
  const std::uint64_t begin = before / kWriteBackBytes * kWriteBackBytes;
  (void)::sync_file_range(to, static_cast<off64_t>(begin), static_cast<off64_t>(now - begin),
                          SYNC_FILE_RANGE_WRITE);
}

bool reflink(int from, int to) { return ::ioctl(to, FICLONE, from) == 0; }

// Room for the whole file and the read that finds its end, within limits: most files are small.
std::size_t buffer_size(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || status.st_size < 0) return kMemoryPiece;
  return std::clamp<std::size_t>(static_cast<std::size_t>(status.st_size) + 1, 4096, kMemoryPiece);
}

std::uint64_t copy_through_memory(int from, int to, const std::filesystem::path& source,
                                  const std::filesystem::path& target, const CopyOptions& options) {
  std::vector<std::byte> buffer(buffer_size(from));
  std::uint64_t total = 0;
  while (true) {
    look_for_stop(options);
    const ssize_t got = retry_on_signal([&] { return ::read(from, buffer.data(), buffer.size()); });
    if (got < 0) throw_errno("cannot read", source);
    if (got == 0) return total;
    const stream::Bytes data = stream::Bytes(buffer).first(static_cast<std::size_t>(got));
    if (options.see) options.see(data);
    write_all(to, data, target);
    start_write_back(to, total, total + data.size());
    total += data.size();
    tell(options, data.size());
  }
}

std::uint64_t copy_in_kernel(int from, int to, const std::filesystem::path& source,
                             const std::filesystem::path& target, const CopyOptions& options) {
  std::uint64_t total = 0;
  while (true) {
    look_for_stop(options);
    const ssize_t got =
        retry_on_signal([&] { return ::copy_file_range(from, nullptr, to, nullptr, kKernelPiece, 0); });
    if (got == 0) return total;
    if (got < 0) {
      if (total == 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
        return copy_through_memory(from, to, source, target, options);
      }
      throw_errno("cannot write", target);
    }
    start_write_back(to, total, total + static_cast<std::uint64_t>(got));
    total += static_cast<std::uint64_t>(got);
    tell(options, static_cast<std::uint64_t>(got));
  }
}

}  // namespace

std::uint64_t copy_whole_file(const std::filesystem::path& from, const std::filesystem::path& to,
                              const CopyOptions& options) {
  const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!source) throw_errno("cannot open", from);
  struct stat status {};
  if (::fstat(source.get(), &status) != 0) throw_errno("cannot look at", from);
  Fd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!target) throw_errno("cannot create", to);

  std::uint64_t size = 0;
  if (options.see) {
    size = copy_through_memory(source.get(), target.get(), from, to, options);
  } else if (reflink(source.get(), target.get())) {
    size = static_cast<std::uint64_t>(status.st_size);
    tell(options, size);
  } else {
    size = copy_in_kernel(source.get(), target.get(), from, to, options);
  }

  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  if (::fchmod(target.get(), status.st_mode & 07777U) != 0 || ::futimens(target.get(), times.data()) != 0) {
    throw_errno("cannot set mode and times of", to);
  }
  if (options.sync && ::fsync(target.get()) != 0) throw_errno("cannot sync", to);
  if (target.close() != 0) throw_errno("cannot close", to);
  return size;
}

}  // namespace barman::os
