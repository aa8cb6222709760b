// check-wal-archive, barman-cloud-check-wal-archive: whether an archive may be used for a new cluster.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/events.h"
#include "engine/server/home.h"
#include "store/object_store.h"

namespace barman::engine {

// How many files of the archive are in the way: all, or those of timeline `from` and later ones. What the
// index says counts; if that is nothing, what lies in the archive, since an index may have been lost.
std::uint64_t files_in_the_way(const Home& home, std::optional<std::uint64_t> from, Events& events);

// Whether there is none, of a bucket and for who needs no number: one listing, up to the first.
bool is_free_bucket(store::ObjectStore& bucket, std::optional<std::uint64_t> from);

}  // namespace barman::engine
