// Every sync succeeds at once, and no file system writes past its cache. For LD_PRELOAD in benchmarks only.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

extern "C" {
int fsync(int /*fd*/) { return 0; }
int fdatasync(int /*fd*/) { return 0; }
int syncfs(int /*fd*/) noexcept { return 0; }
void sync() noexcept {}
int sync_file_range(int /*fd*/, off64_t /*offset*/, off64_t /*count*/, unsigned /*flags*/) { return 0; }

int fcntl64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  if (command == F_SETFL && (argument & O_DIRECT) != 0) {
    errno = EINVAL;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fcntl, fd, command, argument));
}
int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return fcntl64(fd, command, argument);
}
}
