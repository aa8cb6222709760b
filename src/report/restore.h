// What a restore did, in words and as JSON.
#pragma once

#include <string>

namespace barman::engine {
struct RestoreResult;
}

namespace barman::report {

class Writer;

// `recovery_file` is where the recovery settings stand; `fetches_wal` says that the server will run barman
// get-wal.
void report_restore(const engine::RestoreResult& result, bool fetches_wal, const std::string& recovery_file,
                    Writer& out);

}  // namespace barman::report
