// WAL out of a bucket, for a server that recovers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/server/cloud_keys.h"
#include "store/object_store.h"
#include "stream/chain.h"

namespace barman::engine {

// What to fetch for a name: the file itself, and as many that follow it as there are up to `count` in all.
// Whole files go before partial ones. Empty if the file itself is not there.
std::vector<CloudWal> choose_cloud_wal(store::ObjectStore& store, const std::string& name, std::size_t count,
                                       bool with_partial);

// From the stored bytes to the plain ones.
using ToPlain = std::function<std::vector<stream::Stage>(const CloudWal& wal)>;
// For who has no configuration of the server. Throws kFailed for what is encrypted.
std::vector<stream::Stage> plain_by_suffix(const CloudWal& wal);

// Writes the plain bytes to `path`, which appears whole or not at all. Throws kFailed, kCorrupt: also if a
// segment is not as long as it says itself.
void fetch_cloud_wal(store::ObjectStore& store, const CloudWal& wal, const std::filesystem::path& path,
                     const ToPlain& to_plain = plain_by_suffix);

// Files that were fetched before they were asked for. One folder for each archive and server, so that nobody
// is handed another one's WAL.
class WalSpool {
 public:
  WalSpool(const std::filesystem::path& folder, std::string_view url, std::string_view server);

  // Moves a file that is there to `destination`. A segment that is not as long as it says itself is thrown
  // away instead.
  [[nodiscard]] bool take(const std::string& name, const std::filesystem::path& destination) const;

  // Where a file of this name goes.
  [[nodiscard]] std::filesystem::path place_of(const std::string& name) const { return folder_ / name; }
  // Throws kFailed if the folder cannot be made or belongs to somebody else.
  void make() const;

 private:
  std::filesystem::path folder_;
};

// Fetches the first to `destination`, the others into the spool, several at a time; trouble with those is no
// failure.
void fetch_with_others(store::ObjectStore& store, const std::vector<CloudWal>& wal,
                       const std::filesystem::path& destination, const WalSpool& spool,
                       const std::stop_token& stop, const ToPlain& to_plain = plain_by_suffix);

}  // namespace barman::engine
