// The files of a backup, one at a time.
#pragma once

#include <filesystem>

namespace barman::report {

class Writer;

void report_file(const std::filesystem::path& path, Writer& out);

}  // namespace barman::report
