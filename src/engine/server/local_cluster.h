// Whether the files of the server are here, and ours.
#pragma once

#include <filesystem>
#include <string>

namespace barman::engine {

// Throws kRefused, saying what to do, unless the data directory belongs to who runs us and is that of the
// cluster with this system identifier.
void require_own_cluster(const std::filesystem::path& data, const std::string& system_identifier);

}  // namespace barman::engine
