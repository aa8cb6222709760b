#include "engine/server/cloud_archives.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "base/error.h"
#include "engine/server/archive_name.h"
#include "store/parallel_read.h"

namespace barman::engine {

namespace {

using Series = std::map<unsigned, CloudArchiveObject>;

bool is_known_stem(const std::string& stem) { return stem == kDataArchive || is_tablespace_stem(stem); }

std::map<std::string, Series> series_in(store::ObjectStore& store, const catalog::BackupId& id) {
  std::map<std::string, Series> found;
  const std::string folder = backup_folder(id);
  store.list(folder, [&](const store::ObjectInfo& object) {
    const auto name = parse_cloud_archive_name(std::string_view(object.key).substr(folder.size()));
    if (!name || !is_known_stem(name->stem)) return true;
    const CloudArchiveObject archive{.key = object.key, .name = *name, .size = object.size};
    const auto [other, is_new] = found[name->stem].emplace(name->number, archive);
    if (is_new) return true;
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} and {} should be the same: look at them and remove the one that is not whole",
                            other->second.key, object.key));
  });
  return found;
}

void require_whole(const std::string& stem, const Series& series, const catalog::BackupId& id) {
  if (!series.empty() && series.rbegin()->first == series.size() - 1) return;
  unsigned missing = 0;
  while (series.contains(missing)) ++missing;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("the archive {}* of the backup is missing in the bucket: restore another backup",
                          archive_key(id, {.stem = stem, .number = missing})));
}

[[noreturn]] void throw_replaced() {
  throw Error(ErrorKind::kCorrupt, "it was replaced while it was read; try again");
}

store::ObjectInfo existing(store::ObjectStore& store, const std::string& key) {
  auto info = store.stat(key);
  if (!info) throw Error(ErrorKind::kCorrupt, "it vanished from the bucket; restore another backup");
  return *std::move(info);
}

}  // namespace

std::vector<CloudArchiveObject> cloud_archives(store::ObjectStore& store, const catalog::BackupInfo& info) {
  std::map<std::string, Series> found = series_in(store, info.id);
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    if (std::filesystem::path(tablespace.location).is_absolute()) found[std::to_string(tablespace.oid)];
  }
  std::vector<CloudArchiveObject> archives;
  const auto take = [&](const std::string& stem) {
    require_whole(stem, found[stem], info.id);
    for (auto& [number, archive] : found[stem]) archives.push_back(std::move(archive));
    found.erase(stem);
  };
  take(std::string(kDataArchive));
  while (!found.empty()) take(std::string(found.begin()->first));
  return archives;
}

// Ranges are read one by one: that they are all of the same object shows when nothing changed meanwhile.
void read_cloud_archive(store::ObjectStore& store, const CloudArchiveObject& archive, unsigned fetchers,
                        stream::Sink& into, const std::stop_token& stop) {
  const store::ObjectInfo before = existing(store, archive.key);
  if (before.size != archive.size) throw_replaced();
  const bool is_read =
      store::read_in_parallel(store, archive.key, archive.size, {.at_a_time = fetchers}, into, stop);
  const store::ObjectInfo after = existing(store, archive.key);
  if (!is_read || after.size != before.size || after.modified != before.modified) throw_replaced();
}

}  // namespace barman::engine
