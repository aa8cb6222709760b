#include "stream/stream.h"

#include <vector>

#include "base/error.h"

namespace barman::stream {

namespace {
constexpr std::size_t kPumpBuffer = 256 * 1024;
}

std::uint64_t pump(Source& from, Sink& to, const std::stop_token& stop) {
  std::vector<std::byte> buffer(kPumpBuffer);
  std::uint64_t total = 0;
  while (true) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    const std::size_t got = from.read(buffer);
    if (got == 0) return total;
    to.write(Bytes(buffer).first(got));
    total += got;
  }
}

}  // namespace barman::stream
