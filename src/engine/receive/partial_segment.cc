#include "engine/receive/partial_segment.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "os/durable_file.h"
#include "os/fault_point.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

namespace {

constexpr mode_t kMode = 0600;
constexpr std::uint64_t kKickEvery = 2 * 1024 * 1024;

}  // namespace

PartialSegment::PartialSegment(const std::filesystem::path& folder, const pgformat::Segment& segment,
                               pgformat::SegmentSize size)
    : folder_(folder),
      path_(folder / (pgformat::format_segment(segment) + pgformat::kPartialSuffix)),
      segment_(segment) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  created_ = fd_ >= 0;
  if (!created_ && errno == EEXIST) fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd_ < 0) os::throw_errno("cannot open", path_);
  // All the room now, so that a full disk is met before the segment, not within it. The first opening of a
  // file also makes its name durable, and that it was there before does not mean that its creator got that
  // far.
  const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
  if (error != 0 || ::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    if (error != 0) errno = error;
    const int reason = errno;
    ::close(fd_);
    if (created_) ::unlink(path_.c_str());
    errno = reason;
    os::throw_errno("cannot reserve a segment's room in", path_);
  }
  os::fault_point("receive-wal-created");
  os::sync_directory(folder_);
}

PartialSegment::~PartialSegment() {
  if (fd_ >= 0) ::close(fd_);
}

void PartialSegment::write(std::uint64_t offset, stream::Bytes data) {
  dirty_ = true;
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) os::throw_errno("cannot write", path_);
    data = data.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  if (offset - kicked_ < kKickEvery) return;
  // Under load the disk works while we receive, and the next sync finds little left to do.
  ::sync_file_range(fd_, static_cast<off_t>(kicked_), static_cast<off_t>(offset - kicked_),
                    SYNC_FILE_RANGE_WRITE);
  kicked_ = offset;
}

void PartialSegment::sync() {
  if (!dirty_) return;
  // After a failed fsync nobody knows what is on disk, and a second one would claim success: so it ends the
  // receiver.
  if (::fdatasync(fd_) != 0) os::throw_errno("cannot sync", path_);
  dirty_ = false;
  os::fault_point("receive-wal-synced");
}

void PartialSegment::complete() {
  sync();
  os::fault_point("receive-wal-complete");
  const std::filesystem::path final_path = folder_ / pgformat::format_segment(segment_);
  if (::rename(path_.c_str(), final_path.c_str()) != 0) os::throw_errno("cannot rename", path_);
  os::fault_point("receive-wal-renamed");
  os::sync_directory(folder_);
}

void PartialSegment::discard() {
  if (created_ && ::unlink(path_.c_str()) != 0) os::throw_errno("cannot remove", path_);
}

}  // namespace barman::engine
