#include "engine/restore/combined_manifest.h"

#include <sys/stat.h>

#include <algorithm>

#include "engine/restore/chain_writer.h"
#include "engine/restore/left_out.h"
#include "engine/server/control_under_way.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"
#include "pgformat/control_file.h"
#include "pgformat/incremental.h"
#include "pgformat/manifest_writer.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using pgformat::ManifestFile;
using Use = FinalFiles::Use;

constexpr std::string_view kManifestName = "backup_manifest";
constexpr std::size_t kManifestBatch = 4096;
constexpr std::size_t kReadPiece = 512 * 1024;

// Reads the file.
void measure(ManifestFile& file, const fs::path& place) {
  pgformat::Checksum checksum(pgformat::ChecksumKind::kCrc32c);
  const auto source = os::open_file(place);
  thread_local std::vector<std::byte> buffer(kReadPiece);
  file.size = 0;
  while (const std::size_t got = source->read(buffer)) {
    checksum.update(buffer.data(), got);
    file.size += got;
  }
  file.kind = pgformat::ChecksumKind::kCrc32c;
  file.checksum = checksum.hex();
  struct stat status {};
  if (::stat(place.c_str(), &status) != 0) os::throw_errno("cannot look at", place);
  file.last_modified =
      pgformat::format_manifest_time(std::chrono::sys_seconds(std::chrono::seconds(status.st_mtime)));
}

// Writes lines in order, having read the files that need it on several threads.
class ManifestLines {
 public:
  ManifestLines(const CombinedManifest& manifest, pgformat::ManifestWriter& writer,
                const std::stop_token& stop)
      : manifest_(manifest), writer_(writer), stop_(stop) {}

  void add(ManifestFile file, bool has_to_be_read) {
    lines_.push_back({.file = std::move(file), .is_read = has_to_be_read});
    if (lines_.size() == kManifestBatch) write();
  }

  void write() {
    os::in_parallel(lines_.size(), manifest_.workers, stop_, [&](std::size_t i) {
      ManifestFile& file = lines_[i].file;
      const bool is_control = file.path == pgformat::kControlFile;
      const std::string name = is_control ? kControlUnderWay : file.path;
      if (lines_[i].is_read) measure(file, restored_place(manifest_.folders, name));
    });
    for (const Line& line : lines_) writer_.file(line.file);
    lines_.clear();
  }

 private:
  struct Line {
    ManifestFile file;
    bool is_read = false;
  };

  const CombinedManifest& manifest_;
  pgformat::ManifestWriter& writer_;
  const std::stop_token& stop_;
  std::vector<Line> lines_;
};

// What the restore itself put at the top of the data directory.
std::vector<std::string> new_files(const CombinedManifest& manifest) {
  std::vector<std::string> names;
  os::walk_tree(manifest.folders.front().to, [&](const os::TreeEntry& entry) {
    const std::string name = entry.relative.string();
    const bool is_new = entry.kind == os::EntryKind::kFile && !is_left_out(name) && name != kIncompleteMark &&
                        !manifest.files.place(name);
    if (is_new) names.push_back(name);
    return false;
  });
  return names;
}

}  // namespace

void write_combined_manifest(const CombinedManifest& manifest, const std::stop_token& stop) {
  const std::vector<std::string> added = new_files(manifest);
  const auto sink = os::create_file(manifest.folders.front().to / kManifestName, {.sync = false});
  const pgformat::ManifestSummary& summary = manifest.files.last_summary();
  pgformat::ManifestWriter writer([&](std::string_view text) { sink->write(stream::bytes_of(text)); },
                                  summary.system_identifier);
  ManifestLines lines(manifest, writer, stop);
  (void)manifest.files.visit(manifest.files.last(), [&](const ManifestFile& listed, Use use) {
    ManifestFile file = listed;
    if (use == Use::kChange) file.path = *pgformat::name_without_increment(listed.path);
    const bool is_edited = manifest.edited.contains(file.path);
    lines.add(std::move(file), use == Use::kChange || is_edited);
  });
  for (const std::string& name : added) lines.add({.path = name}, true);
  lines.write();
  writer.finish(summary.wal_ranges);
  sink->finish();
}

}  // namespace barman::engine
