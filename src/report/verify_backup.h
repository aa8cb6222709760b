// What verify-backup found.
#pragma once

namespace barman::engine {
struct VerifyResult;
}

namespace barman::report {

class Writer;

void report_verification(const engine::VerifyResult& result, Writer& out);

}  // namespace barman::report
