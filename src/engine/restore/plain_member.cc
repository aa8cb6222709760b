#include "engine/restore/plain_member.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>

#include "base/error.h"
#include "engine/restore/pace.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"
#include "pgformat/incremental.h"

namespace barman::engine {

namespace {

constexpr std::size_t kMemberBatch = 4096;  // files: memory does not grow with their number
constexpr std::size_t kMemberPiece = 512 * 1024;

// How long the segment is when the incremental file has been applied.
std::uint64_t size_after(const std::filesystem::path& place) {
  struct Size final : pgformat::IncrementalVisitor {
    void header(const pgformat::IncrementalHeader& header) override { bytes = header.result_size(); }
    void data(std::uint64_t, std::span<const std::byte>) override {}
    std::optional<std::uint64_t> bytes;
  } size;
  during("reading " + place.string(), [&] {
    pgformat::IncrementalReader reader(size);
    const auto source = os::open_file(place);
    std::array<std::byte, pgformat::kBlockSize> buffer{};
    while (!size.bytes) {
      const std::size_t got = source->read(buffer);
      if (got == 0) break;
      reader.write(std::span(buffer).first(got));
    }
    if (!size.bytes) reader.finish();
  });
  return size.bytes.value_or(0);
}

void copy_member_file(const MemberFile& file, MemberReceiver& receiver, const MemberReading& reading) {
  const auto sink = receiver.file(file);
  if (sink == nullptr) return;
  const auto source = os::open_file(file.place);
  thread_local std::vector<std::byte> buffer(kMemberPiece);
  while (const std::size_t size = source->read(buffer)) {
    if (reading.stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    sink->write(stream::Bytes(buffer).first(size));
    reading.pace.took(size);
  }
  sink->finish();
}

}  // namespace

PlainMember::PlainMember(const Home& home, const catalog::BackupInfo& info) {
  roots_.push_back({.folder = home.data(info.id), .prefix = ""});
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    const auto folder = home.backup(info.id) / std::to_string(tablespace.oid);
    if (std::filesystem::is_directory(folder)) {
      roots_.push_back({.folder = folder, .prefix = fmt::format("pg_tblspc/{}/", tablespace.oid)});
    }
  }
}

std::optional<MemberReader::Known> PlainMember::look_at(const std::string& path, bool is_change) {
  const std::filesystem::path place = place_of(path);
  struct stat status {};
  if (::stat(place.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(
        ErrorKind::kCorrupt,
        fmt::format("{} is missing: the backup's manifest lists it; restore another backup", place.string()));
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return Known{.size = size, .size_after = is_change ? size_after(place) : size};
}

void PlainMember::read(MemberReceiver& receiver, const MemberReading& reading) {
  std::vector<MemberFile> batch;
  const auto copy_batch = [&] {
    os::in_parallel(batch.size(), reading.workers, reading.stop,
                    [&](std::size_t i) { copy_member_file(batch[i], receiver, reading); });
    batch.clear();
  };
  for (const Root& root : roots_) {
    os::walk_tree(root.folder, [&](const os::TreeEntry& entry) {
      std::string path = root.prefix + entry.relative.string();
      if (reading.passes_over(path)) return false;
      if (entry.kind == os::EntryKind::kDirectory) receiver.directory(path, entry.mode);
      if (entry.kind == os::EntryKind::kFile) {
        batch.push_back({.path = std::move(path),
                         .size = entry.size,
                         .mode = entry.mode,
                         .modified = entry.modified,
                         .place = root.folder / entry.relative});
      }
      if (batch.size() == kMemberBatch) copy_batch();
      return true;
    });
  }
  copy_batch();
}

std::filesystem::path PlainMember::place_of(const std::string& path) const {
  for (const Root& root : roots_) {
    if (!root.prefix.empty() && path.starts_with(root.prefix))
      return root.folder / path.substr(root.prefix.size());
  }
  return roots_.front().folder / path;
}

}  // namespace barman::engine
