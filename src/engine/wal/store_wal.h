// Putting one WAL file under its name in the archive.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "stream/chain.h"

namespace barman::engine {

// Whether both names lead to one file: an earlier run got as far as linking `source` there.
bool is_same_file(const std::filesystem::path& source, const std::filesystem::path& target);

// Makes `target` with the data of `source`, which is synced first, and its mode and times. The source stays.
// Costs no copy if both are on one file system and there are no stages. `target` appears whole; its folder is
// made if need be, but not synced. Throws kFailed, and kCancelled if `stop` was requested in the middle.
void store_wal(const std::filesystem::path& source, const std::filesystem::path& target,
               const std::vector<stream::Stage>& stages, const std::stop_token& stop = {});

// Removes a file; one that is gone is no failure.
void remove_source(const std::filesystem::path& source);

}  // namespace barman::engine
