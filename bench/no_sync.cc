// Every sync succeeds at once. For LD_PRELOAD in benchmarks only.
#include <fcntl.h>
#include <unistd.h>

extern "C" {
int fsync(int /*fd*/) { return 0; }
int fdatasync(int /*fd*/) { return 0; }
int syncfs(int /*fd*/) noexcept { return 0; }
void sync() noexcept {}
int sync_file_range(int /*fd*/, off64_t /*offset*/, off64_t /*count*/, unsigned /*flags*/) { return 0; }
}
