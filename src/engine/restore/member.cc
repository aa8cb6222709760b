#include "engine/restore/member.h"

#include <fmt/format.h>

#include "catalog/backup_info.h"
#include "engine/restore/archives_on_disk.h"
#include "engine/restore/bucket_member.h"
#include "engine/restore/plain_member.h"
#include "engine/server/bucket_home.h"
#include "engine/server/cloud_keys.h"
#include "engine/server/home.h"

namespace barman::engine {

OpenMember open_member(const Home& home, const catalog::BackupInfo& info, const WalFormat& format) {
  if (home.backup_bucket) return open_bucket_member(home, info, format);
  OpenMember member{.files = nullptr, .manifest = manifest_on_disk(home.manifest(info.id))};
  if (is_archived(home, info)) {
    member.files = std::make_unique<ArchiveMember>(archives_on_disk(home, info), format);
  } else {
    member.files = std::make_unique<PlainMember>(home, info);
  }
  return member;
}

std::string backup_place(const Home& home, const catalog::BackupInfo& info) {
  if (home.backup_bucket)
    return home.backup_bucket->full_key(fmt::format("{}/{}", kCloudBackups, info.id.text));
  return home.data(info.id).string();
}

std::string manifest_name(const Home& home, const catalog::BackupInfo& info) {
  if (home.backup_bucket) return home.backup_bucket->full_key(manifest_key(info.id));
  return home.manifest(info.id).string();
}

bool comes_with_manifest(const catalog::BackupInfo& info) { return info.mode == "postgres"; }

}  // namespace barman::engine
