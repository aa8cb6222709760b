#include "engine/cloud/restore_backup.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "codec/compress.h"
#include "codec/tar_reader.h"
#include "engine/cloud/unpack.h"
#include "os/durable_file.h"
#include "os/file_system_sync.h"
#include "os/parallel.h"
#include "stream/chain.h"

namespace barman::engine {
namespace {

namespace fs = std::filesystem;

CloudSeries series_of(const std::vector<CloudArchiveObject>& all, std::string_view stem, fs::path folder,
                      std::uint32_t oid) {
  CloudSeries series{.folder = std::move(folder), .oid = oid};
  for (const CloudArchiveObject& archive : all) {
    if (archive.name.stem != stem) continue;
    if (archive.name.encrypted) {
      throw Error(ErrorKind::kRefused,
                  fmt::format("{} is encrypted; restore it with: barman restore", archive.key));
    }
    series.archives.push_back(archive);
  }
  return series;
}

void require_empty(const fs::path& folder) {
  std::error_code failure;
  const fs::file_status status = fs::symlink_status(folder, failure);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(fs::status(folder, failure)) || !fs::is_empty(folder)) {
    throw Error(ErrorKind::kRefused,
                fmt::format("Destination {} already exists and it is not empty", folder.native()));
  }
}

void unpack_archive(store::ObjectStore& store, const CloudArchiveObject& archive, unsigned fetchers,
                    UnpackFolder& folder, const std::stop_token& stop) {
  Unpack receiver(folder);
  const auto path = stream::chain(codec::decompress_ahead(archive.name.compression),
                                  std::make_unique<codec::TarReader>(receiver, codec::TarEnd::kRequired));
  read_cloud_archive(store, archive, fetchers, *path, stop);
  path->finish();
}

// As servers want their folders, also one that was there.
void make_private(const fs::path& folder) {
  os::make_directories(folder, 0700);
  if (::chmod(folder.c_str(), 0700) != 0) os::throw_errno("cannot set the mode of", folder);
}

// What a data directory has and the archives leave out.
void complete_data_directory(const std::vector<CloudSeries>& series) {
  const fs::path& data = series.front().folder;
  os::make_directories(data / "pg_wal", 0700);
  for (const CloudSeries& one : series) {
    if (one.oid == 0) continue;
    os::make_directories(data / "pg_tblspc", 0700);
    const fs::path link = data / "pg_tblspc" / std::to_string(one.oid);
    if (::symlink(fs::absolute(one.folder).c_str(), link.c_str()) != 0)
      os::throw_errno("cannot make link", link);
  }
}

}  // namespace

std::optional<std::pair<std::string, fs::path>> parse_tablespace_rule(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  return std::pair{std::string(text.substr(0, colon)), fs::path(text.substr(colon + 1))};
}

std::vector<CloudSeries> plan_cloud_restore(store::ObjectStore& store, const catalog::BackupInfo& info,
                                            const fs::path& destination, const TablespaceRules& rules) {
  if (info.snapshots_info) {
    throw Error(ErrorKind::kRefused,
                fmt::format("backup {} is made of snapshots of volumes, which this build does not "
                            "restore yet",
                            info.id.text));
  }
  const std::vector<CloudArchiveObject> all = cloud_archives(store, info);
  std::vector<CloudSeries> series{series_of(all, kDataArchive, destination, 0)};
  for (const catalog::Tablespace& one : info.tablespaces) {
    const auto rule = rules.find(one.name);
    fs::path folder = rule == rules.end() ? fs::path(one.location) : rule->second;
    if (!folder.is_absolute()) {
      throw Error(ErrorKind::kRefused,
                  fmt::format("tablespace {} has no absolute location; name one with --tablespace "
                              "{}:LOCATION",
                              one.name, one.name));
    }
    series.push_back(series_of(all, std::to_string(one.oid), std::move(folder), one.oid));
  }
  for (const CloudSeries& one : series) require_empty(one.folder);
  return series;
}

void restore_cloud_backup(store::ObjectStore& store, const std::vector<CloudSeries>& series, unsigned workers,
                          const std::stop_token& stop) {
  std::vector<os::FileSystemSync> syncs;
  std::vector<std::unique_ptr<UnpackFolder>> folders;
  std::vector<std::pair<UnpackFolder*, CloudArchiveObject>> work;
  for (const CloudSeries& one : series) {
    make_private(one.folder);
    syncs.emplace_back(one.folder);
    folders.push_back(std::make_unique<UnpackFolder>(one.folder));
    for (const CloudArchiveObject& archive : one.archives) work.emplace_back(folders.back().get(), archive);
  }
  const auto at_a_time = std::max(1U, std::min(workers, static_cast<unsigned>(work.size())));
  const unsigned fetchers = std::max(1U, workers / at_a_time);
  os::in_parallel(work.size(), at_a_time, stop, [&](std::size_t index) {
    const auto& [folder, archive] = work[index];
    during("restoring " + archive.key,
           [&, folder = folder, &one = archive] { unpack_archive(store, one, fetchers, *folder, stop); });
  });
  complete_data_directory(series);
  for (os::FileSystemSync& sync : syncs) sync.finish(stop);
  folders.front()->reveal_control_file();
}

std::optional<catalog::BackupId> newest_before(const std::vector<catalog::BackupInfo>& backups,
                                               const CloudTarget& target) {
  std::optional<catalog::BackupId> newest;
  for (const catalog::BackupInfo& info : backups) {
    if (info.status != catalog::BackupStatus::kDone) continue;
    if (target.time && (!info.end_time || info.end_time->instant > *target.time)) continue;
    if (target.lsn && (!info.end_xlog || *info.end_xlog > *target.lsn)) continue;
    if (target.timeline && (!info.timeline || *info.timeline > *target.timeline)) continue;
    newest = info.id;
  }
  return newest;
}

}  // namespace barman::engine
