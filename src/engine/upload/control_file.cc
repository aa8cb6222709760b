#include "engine/upload/control_file.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "engine/upload/archive_tree.h"
#include "os/durable_file.h"
#include "pgformat/control_file.h"

namespace barman::engine {
namespace {

constexpr int kMostReads = 100;
constexpr std::chrono::milliseconds kBetweenReads{20};
constexpr std::size_t kMostControlBytes = 64UL * 1024;

}  // namespace

void add_control_file(ArchiveTree& series, const std::filesystem::path& data, Clock& clock,
                      const std::stop_token& stop) {
  const std::filesystem::path path = data / pgformat::kControlFile;
  for (int attempt = 1;; ++attempt) {
    const auto text = os::read_file(path, kMostControlBytes);
    if (!text)
      throw Error(ErrorKind::kFailed, fmt::format("{} vanished from the data directory", path.native()));
    if (pgformat::is_whole_control_file(stream::bytes_of(*text))) {
      series.add_text(std::string(pgformat::kControlFile), *text, attributes_of_file(path));
      return;
    }
    if (attempt == kMostReads) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} is damaged: its checksum is wrong; see whether pg_controldata can read it",
                              path.native()));
    }
    if (!clock.sleep(kBetweenReads, stop)) throw Error(ErrorKind::kCancelled, "stopped on request");
  }
}

}  // namespace barman::engine
