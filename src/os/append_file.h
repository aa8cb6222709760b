// Adding to a file that grows: a journal or an index.
#pragma once

#include <filesystem>
#include <string_view>

namespace barman::os {

// Writes `text` behind the end of the file, which exists, and syncs it. What cannot be written whole is taken
// back: the file keeps its old length. After a crash a part of `text` may be there. Throws kFailed.
void append_to_file(const std::filesystem::path& path, std::string_view text);

}  // namespace barman::os
