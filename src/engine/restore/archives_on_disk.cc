#include "engine/restore/archives_on_disk.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/error.h"
#include "engine/server/archive_name.h"
#include "os/durable_file.h"
#include "os/tree.h"

namespace barman::engine {

namespace {

namespace fs = std::filesystem;

struct StoredArchive {
  fs::path place;
  ArchiveName name;
};

// In the backup's folder of archives. More than one of a stem means that somebody was at work there.
std::vector<StoredArchive> archives_in(const fs::path& folder) {
  std::vector<StoredArchive> archives;
  if (!fs::is_directory(folder)) return archives;
  os::walk_tree(folder, [&](const os::TreeEntry& entry) {
    if (entry.kind != os::EntryKind::kFile) return false;
    if (auto name = parse_archive_name(entry.relative.native())) {
      archives.push_back({.place = folder / entry.relative, .name = std::move(*name)});
    }
    return false;
  });
  return archives;
}

const StoredArchive& archive_of(const std::vector<StoredArchive>& archives, const std::string& stem,
                                const fs::path& folder) {
  const StoredArchive* found = nullptr;
  for (const StoredArchive& archive : archives) {
    if (archive.name.stem != stem) continue;
    if (found != nullptr) {
      throw Error(
          ErrorKind::kCorrupt,
          fmt::format("{} and {} should be the same: look at them and remove the one that is not whole",
                      found->place.string(), archive.place.string()));
    }
    found = &archive;
  }
  if (found != nullptr) return *found;
  throw Error(ErrorKind::kCorrupt, fmt::format("the archive {}.tar of the backup is missing in {}: restore "
                                               "another backup",
                                               stem, folder.string()));
}

}  // namespace

bool is_archived(const Home& home, const catalog::BackupInfo& info) {
  const fs::path folder = home.data(info.id);
  if (fs::exists(folder / "PG_VERSION")) return false;
  // The record alone says it if the archives are gone.
  return info.compression || info.encryption || !archives_in(folder).empty();
}

std::vector<KeptArchive> archives_on_disk(const Home& home, const catalog::BackupInfo& info) {
  const fs::path folder = home.data(info.id);
  const auto stored = archives_in(folder);
  std::vector<KeptArchive> archives;
  const auto add = [&](const std::string& stem) {
    const StoredArchive& found = archive_of(stored, stem, folder);
    archives.push_back(
        {.place = found.place.string(),
         .prefix = prefix_in_manifest(stem),
         .compression = found.name.compression,
         .encrypted = found.name.encrypted,
         .read = [place = found.place](stream::Sink& into, unsigned, const std::stop_token& stop) {
           stream::pump(*os::open_file(place), into, stop);
         }});
  };
  add(std::string(kBaseArchive));
  std::set<std::string> known{std::string(kBaseArchive)};
  for (const catalog::Tablespace& tablespace : info.tablespaces) {
    if (!fs::path(tablespace.location).is_absolute()) continue;
    const std::string oid = std::to_string(tablespace.oid);
    add(oid);
    known.insert(oid);
  }
  // A tablespace in place, a folder of the data directory, is not recorded, but PostgreSQL sends it as an
  // archive of its own.
  for (const StoredArchive& archive : stored) {
    if (known.insert(archive.name.stem).second) add(archive.name.stem);
  }
  return archives;
}

}  // namespace barman::engine
