#include "config/path_conflicts.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/value.h"

namespace barman::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"backup_directory",         "basebackups_directory",
                                         "errors_directory",         "incoming_wals_directory",
                                         "streaming_wals_directory", "wals_directory"};
constexpr int kMostLinks = 40;

// Follows links like realpath(), and goes on where nothing exists. It remembers folders, because most paths
// of a configuration share them.
class RealPaths {
 public:
  fs::path of(const fs::path& path) { return resolved(fs::absolute(path).lexically_normal(), 0); }

 private:
  fs::path resolved(const fs::path& path, int links) {
    if (!path.has_relative_path()) return path;
    if (!path.has_filename()) return resolved(path.parent_path(), links);  // a slash at the end
    if (const auto known = known_.find(path.native()); known != known_.end()) return known->second;
    auto real = resolved(path.parent_path(), links) / path.filename();
    std::error_code error;
    const auto target = links < kMostLinks ? fs::read_symlink(real, error) : fs::path();
    if (!error && !target.empty()) {
      real = resolved((real.parent_path() / target).lexically_normal(), links + 1);
    }
    known_.emplace(path.native(), real);
    return real;
  }

  std::unordered_map<std::string, fs::path> known_;
};

struct Use {
  std::string_view server;
  std::string_view folder;
};

}  // namespace

void find_path_conflicts(Configuration& configuration) {
  RealPaths real_paths;
  std::unordered_map<std::string, Use> uses;
  for (auto& [name, server] : configuration.servers) {
    for (const auto folder : kFolders) {
      const auto path = server.values.text(folder);
      if (path.empty() || is_url(path)) continue;
      const auto real = real_paths.of(path).string();
      const auto [use, is_new] = uses.try_emplace(real, Use{name, folder});
      if (is_new) continue;
      const auto shown = real == path ? path : fmt::format("{} (symlink to: {})", path, real);
      if (use->second.server == name) {
        server.messages.push_back(fmt::format("Conflicting path: {}={} conflicts with '{}' for server '{}'",
                                              folder, shown, use->second.folder, name));
      } else {
        configuration.errors.push_back(
            fmt::format("Conflicting path: {}={} for server '{}' conflicts with '{}' for server '{}'", folder,
                        shown, name, use->second.folder, use->second.server));
      }
    }
  }
}

}  // namespace barman::config
