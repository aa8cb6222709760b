#include "engine/list_files/list_files.h"

#include <algorithm>

#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/wal/wal_archive.h"
#include "os/tree.h"
#include "pgformat/wal_name.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;
using Visit = std::function<void(const fs::path&)>;

void list_folder(const fs::path& folder, bool empty_directories, const Visit& visit) {
  std::vector<fs::path> folders;
  bool is_empty = true;
  os::walk_tree(folder, [&](const os::TreeEntry& entry) {
    is_empty = false;
    const fs::path path = folder / entry.relative;
    std::error_code error;
    if (entry.kind == os::EntryKind::kDirectory) {
      folders.push_back(path);
    } else if (entry.kind != os::EntryKind::kSymlink || !fs::is_directory(path, error)) {
      visit(path);
    }
    return false;
  });
  if (is_empty && empty_directories) visit(folder);
  for (const fs::path& below : folders) list_folder(below, empty_directories, visit);
}

void list_objects(BucketHome& bucket, const catalog::BackupId& id, const Visit& visit) {
  bucket.bucket().list(backup_folder(id), [&](const store::ObjectInfo& object) {
    visit(bucket.full_key(object.key));
    return true;
  });
}

void visit_places(const Home& home, const std::vector<std::string>& names, const Visit& visit) {
  for (const std::string& place : wal_archive(home)->places(names)) visit(place);
}

void list_required_wal(const Home& home, const catalog::BackupInfo& info, const Visit& visit) {
  const auto begin = info.begin_wal ? pgformat::parse_segment(*info.begin_wal) : std::nullopt;
  const auto end = info.end_wal ? pgformat::parse_segment(*info.end_wal) : std::nullopt;
  if (!begin || !end || begin->timeline != end->timeline) return;
  const auto size = info.xlog_segment_size.value_or(pgformat::kDefaultSegmentSize);
  std::vector<std::string> names;
  for (auto segment = *begin; segment <= *end; segment = pgformat::next_segment(segment, size)) {
    names.push_back(pgformat::format_segment(segment));
  }
  visit_places(home, names, visit);
}

void list_archived_wal(const Home& home, const ListRequest& request,
                       const std::vector<catalog::WalEntry>& index, const Visit& visit) {
  const auto begin =
      request.backup.begin_wal ? pgformat::parse_segment(*request.backup.begin_wal) : std::nullopt;
  const auto end =
      request.next && request.next->end_wal ? pgformat::parse_segment(*request.next->end_wal) : std::nullopt;
  const auto belongs = [&](const pgformat::WalName& name) {
    if (name.kind == pgformat::WalKind::kHistory) return true;
    return name.kind == pgformat::WalKind::kSegment && begin && name.segment >= *begin &&
           name.segment.timeline <= begin->timeline && (!end || name.segment <= *end);
  };
  std::vector<std::string> names;
  for (const catalog::WalEntry& entry : index) {
    const auto name = pgformat::parse_wal_name(entry.name);
    if (name && belongs(*name)) names.push_back(entry.name);
  }
  visit_places(home, names, visit);
}

}  // namespace

void list_files(const Home& home, const ListRequest& request, const std::vector<catalog::WalEntry>& index,
                const Visit& visit) {
  const ListTarget target = request.target;
  if (target != ListTarget::kWal && home.backup_bucket) {
    list_objects(*home.backup_bucket, request.backup.id, visit);
  } else if (target != ListTarget::kWal) {
    list_folder(home.backup(request.backup.id), request.empty_directories, visit);
  }
  if (target == ListTarget::kStandalone) list_required_wal(home, request.backup, visit);
  if (target == ListTarget::kWal || target == ListTarget::kFull)
    list_archived_wal(home, request, index, visit);
}

}  // namespace barman::engine
