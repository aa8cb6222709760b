// global/pg_control into an archive.
#pragma once

#include <filesystem>
#include <stop_token>

namespace barman {
class Clock;
}

namespace barman::engine {

class ArchiveTree;

// The server may write it anew at any time: it is read until it is whole. Throws kCorrupt if it never is,
// kFailed if it is not there.
void add_control_file(ArchiveTree& series, const std::filesystem::path& data, Clock& clock,
                      const std::stop_token& stop);

}  // namespace barman::engine
