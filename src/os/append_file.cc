#include "os/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "os/durable_file.h"
#include "os/fd.h"

namespace barman::os {

void append_to_file(const std::filesystem::path& path, std::string_view text) {
  const Fd file(retry_on_signal([&] { return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC); }));
  struct stat before {};
  if (!file || ::fstat(file.get(), &before) != 0) throw_errno("cannot open", path);
  try {
    write_all(file.get(), stream::bytes_of(text), path);
    if (::fsync(file.get()) != 0) throw_errno("cannot sync", path);
  } catch (const Error&) {
    // If this fails too, whoever appends next has to find the torn text.
    [[maybe_unused]] const int result = ::ftruncate(file.get(), before.st_size);
    throw;
  }
}

}  // namespace barman::os
