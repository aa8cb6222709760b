// The check of a server with all that it needs of other verbs: for check, and for the commands that check
// before they work.
#pragma once

#include <chrono>
#include <optional>

#include "cli/command.h"
#include "engine/check/report.h"

namespace barman::cli {

// Every check, within `timeout` or else the server's check_timeout. Prints nothing.
engine::CheckReport check_server(Parts& parts, const config::Server& server,
                                 std::optional<std::chrono::seconds> timeout = {});

// Before a backup: checks, logs each result, and returns whether it may begin.
[[nodiscard]] bool may_backup(Parts& parts, const config::Server& server,
                              std::optional<std::chrono::seconds> timeout = {});

}  // namespace barman::cli
