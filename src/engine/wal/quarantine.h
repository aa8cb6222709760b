// Files that must not get into the archive are kept in the errors directory: <name>.<UTC time>.<suffix>.
#pragma once

#include <filesystem>
#include <string_view>

#include "engine/events.h"
#include "engine/server/home.h"

namespace barman {
class Clock;
}

namespace barman::engine {

// Suffixes: same name as an archived file with other content; no WAL; of another cluster; not what its name
// says.
inline constexpr std::string_view kDuplicate = "duplicate";
inline constexpr std::string_view kUnknown = "unknown";
inline constexpr std::string_view kForeign = "foreign";
inline constexpr std::string_view kMisplaced = "misplaced";

// Moves `path`, file or folder, and returns where to. Never replaces what is there. A source that vanished is
// a warning.
std::filesystem::path quarantine(const Home& home, const std::filesystem::path& path, std::string_view suffix,
                                 const Clock& clock, Events& events);

// The same for a file that stays where it is: copies it.
std::filesystem::path quarantine_copy(const Home& home, const std::filesystem::path& path,
                                      std::string_view suffix, const Clock& clock);

}  // namespace barman::engine
