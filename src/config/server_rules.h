// What the options of a server must not say together.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace barman::config {

// Finds what can be found without a connection. Puts what disables the server into its messages, warns about
// what is put right here, and puts it right: no archiver, no backup strategy. Servers that are inactive or
// passive make no connections, so none of this applies to them.
void apply_rules(Server& server, std::vector<std::string>& warnings);

}  // namespace barman::config
