#include "engine/restore/copy_wal.h"

#include <fmt/format.h>

#include "base/error.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/parallel.h"

namespace barman::engine {

namespace {

void copy_wal_file(const WalCopy& wal, const std::filesystem::path& to, const WalFormat& format,
                   const std::stop_token& stop) {
  const auto name = pgformat::parse_wal_name(wal.from.filename().native());
  const StoredForm form = format.form_of(read_front(wal.from, codec::kDetectBytes), *name);
  if (form != StoredForm{}) return copy_plain(wal.from, format, os::create_file(to, {.sync = false}), stop);
  const std::uint64_t size = os::copy_whole_file(wal.from, to, {.stop = stop});
  if (size != wal.stored_size) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} has {} bytes, but {} are recorded", wal.from.string(),
                                                 size, wal.stored_size));
  }
}

}  // namespace

void copy_wal(const WalCopying& copying, const std::stop_token& stop) {
  os::make_directories(copying.folder, 0700);
  os::in_parallel(copying.plan.files.size(), copying.workers, stop, [&](std::size_t i) {
    const WalCopy& wal = copying.plan.files[i];
    copy_wal_file(wal, copying.folder / wal.name, copying.format, stop);
  });
}

void write_archive_status(const WalPlan& plan, const std::filesystem::path& status) {
  for (const WalCopy& wal : plan.files) os::write_file(status / (wal.name + ".done"), "", {.sync = false});
}

}  // namespace barman::engine
