// identity.json of a server's home: the PostgreSQL cluster that everything in the home is of.
#pragma once

#include <optional>

#include "catalog/identity.h"
#include "engine/server/home.h"

namespace barman::engine {

// Nothing if it was not written yet. Throws kCorrupt, naming the file, if it is damaged.
std::optional<catalog::Identity> read_identity(const Home& home);

// Writes it unless there is one: the first backup decides. Returns the one that is there now.
catalog::Identity establish_identity(const Home& home, const catalog::Identity& identity);

}  // namespace barman::engine
