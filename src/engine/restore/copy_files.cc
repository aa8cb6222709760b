#include "engine/restore/copy_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/restore/expected_files.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "engine/restore/rewritten_file.h"
#include "os/copy.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"
#include "pgformat/control_file.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRewritePiece = 512 * 1024;

bool is_copied(const RestoreFolder& folder, const fs::path& relative) {
  return folder.oid != 0 || (relative != pgformat::kControlFile && !is_left_out(relative.string()));
}

bool is_tablespace_link(const os::TreeEntry& entry) {
  return entry.kind == os::EntryKind::kSymlink && entry.relative.parent_path() == "pg_tblspc";
}

// The name that the manifest has for a file of a tablespace.
std::string manifest_path(const RestoreFolder& folder, const fs::path& relative) {
  return folder.oid == 0 ? relative.string() : fmt::format("pg_tblspc/{}/{}", folder.oid, relative.string());
}

// Returns the number of bytes that the file has.
std::uint64_t rewrite(const fs::path& from, const fs::path& to, const os::CopyOptions& options) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) os::throw_errno("cannot look at", from);
  const auto source = os::open_file(from);
  RewrittenFile file(to);
  std::uint64_t total = 0;
  thread_local std::vector<std::byte> buffer(kRewritePiece);
  while (const std::size_t size = source->read(buffer)) {
    if (options.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    const stream::Bytes piece = stream::Bytes(buffer).first(size);
    if (options.see) options.see(piece);
    file.write(piece);
    if (options.copied) options.copied(size);
    total += size;
  }
  file.close(status.st_mode);
  return total;
}

std::uint64_t copy_one(const RestoreFolder& folder, const fs::path& relative, const os::CopyOptions& options,
                       bool rewrites) {
  const fs::path from = folder.from / relative;
  const fs::path to = folder.to / relative;
  return rewrites ? rewrite(from, to, options) : os::copy_whole_file(from, to, options);
}

void copy_checked(const RestoreFolder& folder, const fs::path& relative, os::CopyOptions options,
                  const CopyPlan& plan) {
  const ExpectedFiles& expected = *plan.expected;
  pgformat::Checksum checksum(expected.kind());
  if (expected.kind() != pgformat::ChecksumKind::kNone) {
    options.see = [&](stream::Bytes data) { checksum.update(data.data(), data.size()); };
  }
  const std::uint64_t size = copy_one(folder, relative, options, plan.rewrites);
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
        copy_checked(folder, batch[i], options, plan);
        ++checked;
      } else {
        copy_one(folder, batch[i], options, plan.rewrites);
      }
    });
    batch.clear();
  };
  Copied result;
  os::walk_tree(folder.from, [&](const os::TreeEntry& entry) {
    if (!is_copied(folder, entry.relative)) return false;
    if (entry.kind == os::EntryKind::kDirectory) {
      const fs::path made = folder.to / entry.relative;
      const bool is_made = ::mkdir(made.c_str(), (entry.mode & 0777U) | 0700U) == 0;
      if (!is_made && !(plan.rewrites && errno == EEXIST))
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
