// The archives of a base backup that is in a bucket, found by what is there.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/backup_info.h"
#include "engine/server/cloud_keys.h"
#include "store/object_store.h"
#include "stream/stream.h"

namespace barman::engine {

struct CloudArchiveObject {
  std::string key;
  CloudArchiveName name;
  std::uint64_t size = 0;  // as it is stored
};

// The series of the data directory first, then those of tablespaces: each in its order. Throws kCorrupt,
// naming it, if an archive is missing in front of another one or is there in two forms, or if there is none
// of the data directory or of a tablespace that the record names.
std::vector<CloudArchiveObject> cloud_archives(store::ObjectStore& store, const catalog::BackupInfo& info);

// Writes all bytes of an archive, as they are stored, without finishing `into`; so many ranges are fetched at
// a time. Throws kCorrupt, having written some, if it is not the object that was listed, or another one in
// the end.
void read_cloud_archive(store::ObjectStore& store, const CloudArchiveObject& archive, unsigned fetchers,
                        stream::Sink& into, const std::stop_token& stop);

}  // namespace barman::engine
