#include "engine/archived_wal/free_archive.h"

#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {

std::uint64_t files_in_the_way(const Home& home, std::optional<std::uint64_t> from, Events& events) {
  std::uint64_t files = 0;
  const auto count = [&](const pgformat::WalName& name) {
    if (name.segment.timeline >= from.value_or(0)) ++files;
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

}  // namespace barman::engine
