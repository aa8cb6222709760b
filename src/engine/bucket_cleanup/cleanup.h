// Removing what dead runs left in the buckets of a server.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "engine/bucket_cleanup/plan.h"

namespace barman::engine {

// What became of a left-over: nothing said is that it is gone, else why something of it is still there.
using Removed = std::function<void(const LeftOver& left_over, const std::string& failure)>;

// Removes what is planned, one after the other; the backup lock is still held. Something of it that cannot be
// removed is told, and keeps no other. Throws kCancelled between two, and kTransient if the bucket is away.
void clean_up(const Home& home, const CleanupPlan& plan, const RemovalRules& rules, const Clock& clock,
              const Removed& removed, const std::stop_token& stop);

}  // namespace barman::engine
