#include "engine/wal/incoming.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "os/durable_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using pgformat::WalKind;

std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  if (error == std::errc::no_such_file_or_directory) return entries;
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (at->path().filename().native().front() != '.') entries.push_back(*at);
  }
  if (error) {
    errno = error.value();
    os::throw_errno("cannot read", folder);
  }
  std::ranges::sort(entries, {}, [](const fs::directory_entry& entry) { return entry.path(); });
  return entries;
}

// Takes out of `files` what tells a receiver where it was, and puts other partials behind the rest.
void leave_position(std::vector<IncomingFile>& files) {
  const auto is = [](WalKind kind) {
    return [kind](const IncomingFile& file) { return file.parsed.kind == kind; };
  };
  const auto partials = std::stable_partition(files.begin(), files.end(), [&](const IncomingFile& file) {
    return file.parsed.kind != WalKind::kPartial;
  });
  if (partials != files.end()) {
    files.pop_back();
    return;
  }
  const auto newest = std::find_if(files.rbegin(), files.rend(), is(WalKind::kSegment));
  if (newest != files.rend()) files.erase(std::next(newest).base());
}

}  // namespace

Batch next_batch(const fs::path& folder, Archiver archiver, std::size_t limit) {
  Batch batch;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    ++batch.present;
    const std::string name = entry.path().filename();
    if (name.ends_with(".tmp")) continue;
    std::error_code error;
    const fs::file_status status = entry.symlink_status(error);
    if (status.type() == fs::file_type::not_found) continue;
    const auto parsed = pgformat::parse_wal_name(name);
    if (parsed && fs::is_regular_file(status)) {
      batch.files.push_back({name, *parsed});
    } else {
      batch.unknown.push_back(name);
    }
  }
  if (archiver == Archiver::kStreaming) leave_position(batch.files);
  if (limit != 0 && batch.files.size() > limit) batch.files.resize(limit);
  return batch;
}

}  // namespace barman::engine
