#include "engine/restore/left_out.h"

#include <algorithm>
#include <array>

namespace barman::engine {

bool is_left_out(std::string_view path) {
  constexpr std::array<std::string_view, 7> kFiles = {"postmaster.pid", "postmaster.opts", "recovery.conf",
                                                      "tablespace_map", "standby.signal",  "recovery.signal",
                                                      "backup_manifest"};
  constexpr std::array<std::string_view, 4> kBelow = {"pg_wal/", "pg_xlog/", "log/", "pg_log/"};
  return std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end() ||
         std::any_of(kBelow.begin(), kBelow.end(),
                     [&](std::string_view folder) { return path.starts_with(folder); });
}

bool is_unlisted(std::string_view path) {
  return path == "backup_manifest" || path.starts_with("pg_wal/") || path.starts_with("pg_xlog/");
}

}  // namespace barman::engine
