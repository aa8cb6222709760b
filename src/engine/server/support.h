// What this build does not do yet. The configuration knows every option; a command whose work an option would
// change refuses to do it without.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"

namespace barman::engine {

enum class Verb { kBackup, kArchiveWal, kReceiveWal, kGetWal, kPutWal, kRestore, kDelete, kCron };

// Why this build cannot do `verb` for the server, naming the option; nothing if it can.
std::optional<std::string> unsupported(const config::Server& server, Verb verb);

// Throws kFailed with that reason.
void require_supported(const config::Server& server, Verb verb);

}  // namespace barman::engine
