// One large object, fetched in ranges, several at a time.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "store/object_store.h"
#include "stream/stream.h"

namespace barman::store {

struct ParallelRead {
  unsigned at_a_time = 4;                          // ranges that are fetched
  std::uint64_t range_bytes = 8ULL * 1024 * 1024;  // of each
};

// Writes the whole of an object of `size` bytes to `into`, in order, without finishing it. Each range goes on
// where it broke off as the store's own read() does. Holds at most `at_a_time` + 1 ranges. Returns false,
// having written nothing, if there is no such object. Throws kCorrupt if it is shorter than `size`, kFailed
// if it vanishes half way.
bool read_in_parallel(ObjectStore& store, const std::string& key, std::uint64_t size,
                      const ParallelRead& form, stream::Sink& into, const std::stop_token& stop = {});

}  // namespace barman::store
