#include "engine/wal/known_wal.h"

#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {

std::vector<catalog::WalEntry> known_wal(const Home& home, const WalFormat& format, Events& events) {
  if (home.is_active || !home.wal_bucket) return XlogIndex(home, events, &format).read();
  std::vector<catalog::WalEntry> found;
  wal_archive(home)->scan(&format, {.wal = [&](const pgformat::WalName&,
                                               const catalog::WalEntry& entry) { found.push_back(entry); },
                                    .foreign = [](const std::string&) {}});
  return found;
}

}  // namespace barman::engine
