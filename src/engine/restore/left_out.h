// Which files of a backed up data directory a restore does not bring back.
#pragma once

#include <string_view>

namespace barman::engine {

// What a server makes anew or must not find: WAL, its own logs, traces of the old server's run, and the
// manifest, which is kept under another name. `path` is relative to the data directory.
bool is_left_out(std::string_view path);

// What a manifest does not list: WAL, and itself.
bool is_unlisted(std::string_view path);

}  // namespace barman::engine
