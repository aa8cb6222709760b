#include "engine/archived_wal/free_archive.h"

#include "engine/server/cloud_wal_objects.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {

namespace {

bool is_in_the_way(const pgformat::WalName& name, std::optional<std::uint64_t> from) {
  return name.segment.timeline >= from.value_or(0);
}

}  // namespace

std::uint64_t files_in_the_way(const Home& home, std::optional<std::uint64_t> from, Events& events) {
  std::uint64_t files = 0;
  const auto count = [&](const pgformat::WalName& name) {
    if (is_in_the_way(name, from)) ++files;
  };
  if (!home.wal_bucket) {
    XlogIndex(home, events).visit([&](const catalog::WalLine& line) {
      if (const auto name = pgformat::parse_wal_name(line.name)) count(*name);
    });
  }
  if (files > 0) return files;
  const auto archive = wal_archive(home);
  std::vector<std::string> folders = archive->folders();
  folders.emplace_back();  // of histories
  for (const std::string& folder : folders) {
    for (const std::string& file : archive->names_in(folder)) {
      if (const auto name = pgformat::parse_wal_name(file)) count(*name);
    }
  }
  return files;
}

bool is_free_bucket(store::ObjectStore& bucket, std::optional<std::uint64_t> from) {
  bool is_free = true;
  list_cloud_wal(bucket, cloud_wal_folder(), [&](const CloudWal& wal, const store::ObjectInfo&) {
    is_free = !is_in_the_way(wal.parsed, from);
    return is_free;
  });
  return is_free;
}

}  // namespace barman::engine
