// Paths that somebody else wrote down: in a manifest, an archive, a catalogue.
#pragma once

#include <string_view>

namespace barman {

// Whether `path` may be joined to a root without leaving it: relative, not empty, no "." or ".." or empty
// components, no NUL.
bool is_safe_relative_path(std::string_view path);

}  // namespace barman
