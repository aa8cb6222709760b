#include "config/path_conflicts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>
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
// of a configuration share them; and it works on text, because std::filesystem::path takes paths apart each
// time that they are touched.
class RealPaths {
 public:
  std::string of(const std::string& path) { return resolved(plain(path), 0); }

 private:
  // Absolute, without "." and "..", doubled slashes or one at the end.
  static std::string plain(const std::string& path) {
    const bool already = path.starts_with('/') && !path.ends_with('/') &&
                         path.find("//") == std::string::npos && path.find("/.") == std::string::npos;
    if (already) return path;
    auto text = fs::absolute(path).lexically_normal().string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
  }

  std::string resolved(const std::string& path, int links) {
    if (path.size() <= 1) return path;
    if (const auto known = known_.find(path); known != known_.end()) return known->second;
    const auto slash = path.rfind('/');
    const auto parent = resolved(path.substr(0, slash), links);
    auto real = (parent == "/" ? "" : parent) + path.substr(slash);
    if (const auto target = link_target(real); !target.empty() && links < kMostLinks) {
      real = resolved(plain(target.starts_with('/') ? target : parent + '/' + target), links + 1);
    }
    known_.emplace(path, real);
    return real;
  }

  // Empty if `path` is no link.
  static std::string link_target(const std::string& path) {
    std::array<char, 4096> target{};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
  }

  std::unordered_map<std::string, std::string> known_;
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
      const auto real = real_paths.of(path);
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
