// Where a server's things are, opened the way that this program opens them.
#pragma once

#include "cli/command.h"
#include "engine/server/home.h"

namespace barman::cli {

// Whether a command works on what is in a bucket.
enum class Buckets { kRefused, kAllowed };

// Throws kFailed if the server keeps something in a bucket and that is refused.
engine::Home home_of(const Parts& parts, const config::Server& server, Buckets buckets = Buckets::kRefused);

}  // namespace barman::cli
