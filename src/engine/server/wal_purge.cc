#include "engine/server/wal_purge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

#include "base/error.h"
#include "engine/wal/wal_archive.h"
#include "engine/wal/xlog_index.h"

namespace barman::engine {

namespace {

// As many as a person reads.
std::string some_of(std::vector<std::string> names) {
  constexpr std::size_t kMost = 5;
  const std::size_t more = names.size() - std::min(names.size(), kMost);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

void remove_files(const Home& home, const std::vector<std::string>& names, std::size_t batch,
                  Events& events) {
  const WalRemains remains = wal_archive(home)->remove(names, batch);
  if (!remains.absent.empty()) {
    events.warning(
        fmt::format("WAL of the index was not in the archive any more: {}", some_of(remains.absent)));
  }
  if (remains.present.empty()) return;
  std::vector<std::string> present;
  for (const auto& [key, reason] : remains.present) present.push_back(fmt::format("{} ({})", key, reason));
  throw Error(ErrorKind::kFailed,
              fmt::format("WAL could not be removed: {}; what is in the index still is removed by the next "
                          "deletion",
                          some_of(std::move(present))));
}

}  // namespace

std::vector<std::string> purge_wal(const Home& home, const catalog::WalRemoval& removal,
                                   const RemovalRules& rules, Events& events) {
  std::vector<std::string> removed;
  XlogIndex(home, events)
      .remove([&](const catalog::WalEntry& entry) { return catalog::goes(removal, entry.name); },
              [&](std::span<const catalog::WalEntry> entries) {
                for (const catalog::WalEntry& entry : entries) removed.push_back(entry.name);
                remove_files(home, removed, rules.batch, events);
              });
  return removed;
}

}  // namespace barman::engine
