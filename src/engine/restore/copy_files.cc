#include "engine/restore/copy_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

bool is_copied(const RestoreFolder& folder, const fs::path& relative) {
  return folder.oid != 0 || (relative != kControlFile && !is_left_out(relative.string()));
}

bool is_tablespace_link(const os::TreeEntry& entry) {
  return entry.kind == os::EntryKind::kSymlink && entry.relative.parent_path() == "pg_tblspc";
}

// The name that the manifest has for a file of a tablespace.
std::string manifest_path(const RestoreFolder& folder, const fs::path& relative) {
  return folder.oid == 0 ? relative.string() : fmt::format("pg_tblspc/{}/{}", folder.oid, relative.string());
}

void copy_checked(const RestoreFolder& folder, const fs::path& relative, os::CopyOptions options,
                  const ExpectedFiles& expected) {
  pgformat::Checksum checksum(expected.kind());
  if (expected.kind() != pgformat::ChecksumKind::kNone) {
    options.see = [&](stream::Bytes data) { checksum.update(data.data(), data.size()); };
  }
  const std::uint64_t size = os::copy_whole_file(folder.from / relative, folder.to / relative, options);
  const std::string path = manifest_path(folder, relative);
  switch (expected.compare(path, size, checksum.hex())) {
    case ExpectedFiles::Verdict::kSame:
      return;
    case ExpectedFiles::Verdict::kDifferent:
      throw Error(
          ErrorKind::kCorrupt,
          fmt::format(
              "{} is damaged: its size or checksum is not what the backup's manifest says; restore another "
              "backup, or this one with --no-verify to save what can be saved",
              (folder.from / relative).string()));
    case ExpectedFiles::Verdict::kUnknown:
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} is not in the backup's manifest: somebody put it there; look at it and "
                              "remove it, or restore with --no-verify",
                              (folder.from / relative).string()));
  }
}

}  // namespace

Copied copy_folder(const RestoreFolder& folder, const CopyPlan& plan, Clock& clock,
                   const std::stop_token& stop) {
  // A batch at a time, so that memory does not grow with the number of files.
  constexpr std::size_t kBatch = 4096;
  Pace pace(plan.bytes_per_second, plan.copied, clock, stop);
  std::atomic<std::uint64_t> checked{0};
  std::vector<fs::path> batch;
  const os::CopyOptions options{.copied = [&](std::uint64_t bytes) { pace.took(bytes); }, .stop = stop};
  const auto copy_batch = [&] {
    os::in_parallel(batch.size(), plan.workers, stop, [&](std::size_t i) {
      if (plan.expected != nullptr) {
        copy_checked(folder, batch[i], options, *plan.expected);
        ++checked;
      } else {
        os::copy_whole_file(folder.from / batch[i], folder.to / batch[i], options);
      }
    });
    batch.clear();
  };
  Copied result;
  os::walk_tree(folder.from, [&](const os::TreeEntry& entry) {
    if (!is_copied(folder, entry.relative)) return false;
    if (entry.kind == os::EntryKind::kDirectory) {
      const fs::path made = folder.to / entry.relative;
      if (::mkdir(made.c_str(), (entry.mode & 0777U) | 0700U) != 0)
        os::throw_errno("cannot create the directory", made);
      return true;
    }
    if (entry.kind == os::EntryKind::kFile) {
      batch.push_back(entry.relative);
    } else if (!is_tablespace_link(entry)) {
      ++result.odd_entries;
      result.odd = folder.from / entry.relative;
    }
    if (batch.size() == kBatch) copy_batch();
    return false;
  });
  copy_batch();
  result.bytes = pace.total();
  result.checked_files = checked;
  return result;
}

}  // namespace barman::engine
