#include "os/send_file.h"

#include <sys/sendfile.h>

#include <cerrno>

#include "base/error.h"
#include "os/durable_file.h"

namespace barman::os {

namespace {
// Small enough for a stop to be heard soon.
constexpr std::size_t kPiece = 8 * 1024 * 1024;
}  // namespace

std::uint64_t send_file(const Fd& file, const std::filesystem::path& name, int to,
                        const std::filesystem::path& to_name, const std::stop_token& stop) {
  std::uint64_t total = 0;
  while (true) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    const ssize_t sent = retry_on_signal([&] { return ::sendfile(to, file.get(), nullptr, kPiece); });
    if (sent == 0) return total;
    if (sent > 0) {
      total += static_cast<std::uint64_t>(sent);
      continue;
    }
    // Some targets cannot take it that way: a file opened for appending, a terminal.
    if (total != 0 || (errno != EINVAL && errno != ENOSYS)) throw_errno("cannot write", to_name);
    DescriptorSource source(file, name);
    DescriptorSink sink(to, to_name);
    return stream::pump(source, sink, stop);
  }
}

std::size_t DescriptorSource::read(stream::Buffer into) {
  const ssize_t got = retry_on_signal([&] { return ::read(file_.get(), into.data(), into.size()); });
  if (got < 0) throw_errno("cannot read", name_);
  return static_cast<std::size_t>(got);
}

}  // namespace barman::os
