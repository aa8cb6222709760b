// Which servers a command works on: reference "Server selection".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace barman::cli {

// What a command does with a server in some state.
enum class Then {
  kRun,
  kSkip,   // one line on standard output, exit status 0
  kError,  // an error
};

struct ServerRules {
  Then inactive = Then::kRun;
  Then disabled = Then::kError;
  Then passive = Then::kRun;
};

inline constexpr ServerRules kEveryServer = {
    .inactive = Then::kRun, .disabled = Then::kRun, .passive = Then::kRun};

// The one server of that name. A null pointer if it is not to be worked on: the reason was said, and counted
// if it is an error. Global configuration errors are said here too.
const config::Server* select_server(Parts& parts, const std::string& name, const ServerRules& rules);

// Calls `body` for each server named, once each, in alphabetical order; "all" stands for every one. What
// `body` throws becomes an error line and the next server follows; kCancelled ends the loop.
void for_each_server(Parts& parts, const std::vector<std::string>& names, const ServerRules& rules,
                     const std::function<void(const config::Server&)>& body);

}  // namespace barman::cli
