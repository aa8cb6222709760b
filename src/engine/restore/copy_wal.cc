#include "engine/restore/copy_wal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/parallel.h"

namespace barman::engine {

namespace {

constexpr unsigned kFetchesAtATime = 8;

void copy_received(const WalCopy& wal, const std::filesystem::path& to, const std::stop_token& stop) {
  const std::uint64_t size = os::copy_whole_file(wal.received, to, {.stop = stop});
  if (size == wal.size) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("{} has {} bytes, but {} are recorded", wal.received.string(), size, wal.size));
}

}  // namespace

void copy_wal(const WalCopying& copying, const std::stop_token& stop) {
  os::make_directories(copying.folder, 0700);
  const auto archive = wal_archive(copying.home);
  const unsigned workers =
      copying.home.wal_bucket ? std::max(copying.workers, kFetchesAtATime) : copying.workers;
  os::in_parallel(copying.plan.files.size(), workers, stop, [&](std::size_t i) {
    const WalCopy& wal = copying.plan.files[i];
    if (!wal.archived) return copy_received(wal, copying.folder / wal.name, stop);
    archive->fetch(*wal.archived, copying.format, copying.folder / wal.name, stop);
  });
}

void write_archive_status(const WalPlan& plan, const std::filesystem::path& status) {
  for (const WalCopy& wal : plan.files) os::write_file(status / (wal.name + ".done"), "", {.sync = false});
}

}  // namespace barman::engine
