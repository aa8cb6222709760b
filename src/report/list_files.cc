#include "report/list_files.h"

#include "report/writer.h"

namespace barman::report {

void report_file(const std::filesystem::path& path, Writer& out) { out.notice(path.native()); }

}  // namespace barman::report
