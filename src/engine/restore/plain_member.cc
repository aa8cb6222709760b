#include "engine/restore/plain_member.h"

#include <fmt/format.h>

#include "base/error.h"
#include "engine/restore/left_out.h"
#include "engine/restore/pace.h"
#include "os/durable_file.h"
#include "os/parallel.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

constexpr std::size_t kMemberBatch = 4096;  // files: memory does not grow with their number
constexpr std::size_t kMemberPiece = 512 * 1024;

std::string tablespace_prefix(std::uint32_t oid) { return fmt::format("pg_tblspc/{}/", oid); }

}  // namespace

PlainMember::PlainMember(const Home& home, const catalog::BackupInfo& info, unsigned workers, Pace& pace)
    : workers_(workers), pace_(pace) {
  roots_.push_back({.folder = home.data(info.id), .prefix = ""});
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    const auto folder = home.backup(info.id) / std::to_string(tablespace.oid);
    if (std::filesystem::is_directory(folder)) {
      roots_.push_back({.folder = folder, .prefix = tablespace_prefix(tablespace.oid)});
    }
  }
}

void PlainMember::read(MemberReceiver& receiver, const std::stop_token& stop) {
  for (const Root& root : roots_) {
    std::vector<Found> batch;
    os::walk_tree(root.folder, [&](const os::TreeEntry& entry) {
      std::string path = root.prefix + entry.relative.string();
      if (is_left_out(path)) return false;
      if (entry.kind == os::EntryKind::kDirectory) receiver.directory(path, entry.mode);
      if (entry.kind == os::EntryKind::kFile) {
        batch.push_back({.place = root.folder / entry.relative,
                         .file = {.path = std::move(path), .size = entry.size, .mode = entry.mode}});
      }
      if (batch.size() == kMemberBatch) {
        copy(batch, receiver, stop);
        batch.clear();
      }
      return true;
    });
    copy(batch, receiver, stop);
  }
}

void PlainMember::copy(const std::vector<Found>& batch, MemberReceiver& receiver,
                       const std::stop_token& stop) {
  os::in_parallel(batch.size(), workers_, stop, [&](std::size_t i) { copy_one(batch[i], receiver, stop); });
}

void PlainMember::copy_one(const Found& found, MemberReceiver& receiver, const std::stop_token& stop) {
  const auto sink = receiver.file(found.file);
  if (sink == nullptr) return;
  const auto source = os::open_file(found.place);
  thread_local std::vector<std::byte> buffer(kMemberPiece);
  while (const std::size_t size = source->read(buffer)) {
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "stopped on request");
    sink->write(stream::Bytes(buffer).first(size));
    pace_.took(size);
  }
  sink->finish();
}

std::filesystem::path plain_place(const Home& home, const catalog::BackupInfo& info,
                                  const std::string& path) {
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    const std::string prefix = tablespace_prefix(tablespace.oid);
    if (!path.starts_with(prefix)) continue;
    const auto folder = home.backup(info.id) / std::to_string(tablespace.oid);
    if (std::filesystem::is_directory(folder)) return folder / path.substr(prefix.size());
  }
  return home.data(info.id) / path;
}

}  // namespace barman::engine
