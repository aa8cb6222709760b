// Folders that two purposes or two servers share by mistake.
#pragma once

#include "config/settings.h"

namespace barman::config {

// Compares the folders of all servers with one another, links followed. A conflict within a server goes to
// that server's messages, one between servers to the configuration's errors.
void find_path_conflicts(Configuration& configuration);

}  // namespace barman::config
