// Whether and how a backup is kept.
#pragma once

#include <optional>
#include <string>

namespace barman::report {

class Writer;

// `target` is "full" or "standalone"; nothing: it is not kept.
void report_keep(const std::string& server, const std::optional<std::string>& target, Writer& out);

}  // namespace barman::report
