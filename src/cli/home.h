// Where a server's things are, opened the way that this program opens them.
#pragma once

#include "base/error.h"
#include "cli/command.h"
#include "engine/server/home.h"

namespace barman::cli {

engine::Home home_of(const Parts& parts, const config::Server& server);

// Its buckets give up when `stop` is requested.
engine::Home home_of(const Parts& parts, const config::Server& server, const std::stop_token& stop);

// For commands that are about buckets: the server has none.
Error no_bucket(const config::Server& server);

}  // namespace barman::cli
