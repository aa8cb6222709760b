// The same work on many things, on some threads.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace barman::os {

// Calls `work` with each index below `count`, on `workers` threads, the caller's among them. The first
// failure keeps the rest from starting, and is thrown when all threads are done. Throws kCancelled if `stop`
// was requested.
void in_parallel(std::size_t count, unsigned workers, const std::stop_token& stop,
                 const std::function<void(std::size_t)>& work);

}  // namespace barman::os
