#include "engine/restore/bucket_member.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "engine/restore/archive_member.h"
#include "engine/restore/manifest_in_bucket.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_archives.h"

namespace barman::engine {

namespace {

// Whoever writes to buckets ends its archives properly: one that does not was cut.
KeptArchive archive_of(const std::shared_ptr<BucketHome>& home, const CloudArchiveObject& archive) {
  return {.place = home->full_key(archive.key),
          .prefix = prefix_in_manifest(archive.name.stem),
          .compression = archive.name.compression,
          .encrypted = archive.name.encrypted,
          .end = codec::TarEnd::kRequired,
          .read = [home, archive](stream::Sink& into, unsigned fetchers, const std::stop_token& stop) {
            read_cloud_archive(home->bucket(), archive, fetchers, into, stop);
          }};
}

// The last archive of a series leaves no gap when it is lost.
void require_recorded_size(const catalog::BackupInfo& info, std::uint64_t stored) {
  const bool is_sum = info.mode && info.mode->starts_with("local-to-cloud") && info.size;
  if (!is_sum || stored >= *info.size) return;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("the archives of backup {} have {} bytes, but {} were stored: one is missing or cut; "
                  "restore another backup",
                  info.id.text, stored, *info.size));
}

}  // namespace

OpenMember open_bucket_member(const Home& home, const catalog::BackupInfo& info, const WalFormat& format) {
  const auto found = cloud_archives(home.backup_bucket->bucket(), info);
  OpenMember member{.files = nullptr, .manifest = manifest_in_bucket(home, info, found, format)};
  std::vector<KeptArchive> archives;
  std::uint64_t stored = 0;
  for (const CloudArchiveObject& archive : found) {
    archives.push_back(archive_of(home.backup_bucket, archive));
    member.stored_bytes[archives.back().prefix] += archive.size;
    member.is_compressed = member.is_compressed || archive.name.compression;
    stored += archive.size;
  }
  require_recorded_size(info, stored);
  member.files = std::make_unique<ArchiveMember>(std::move(archives), format);
  return member;
}

}  // namespace barman::engine
