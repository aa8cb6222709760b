// A home of one server in a temporary folder: for tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/server/home.h"

namespace barman::engine {

class ScratchHome {
 public:
  ScratchHome() {
    std::string pattern = (std::filesystem::temp_directory_path() / "home.XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    const auto top = root_ / "main";
    home = Home{.server = "main",
                .backup_directory = top,
                .meta = top / "meta",
                .base = top / "base",
                .wals = top / "wals",
                .incoming = top / "incoming",
                .streaming = top / "streaming",
                .errors = top / "errors",
                .xlogdb = top / "wals" / "main-xlog.db",
                .identity = top / "identity.json",
                .locks = root_};
    for (const auto& folder : {home.meta, home.base, home.wals, home.incoming, home.streaming, home.errors}) {
      std::filesystem::create_directories(folder);
    }
  }
  ~ScratchHome() { std::filesystem::remove_all(root_); }
  ScratchHome(const ScratchHome&) = delete;
  ScratchHome& operator=(const ScratchHome&) = delete;

  static void write(const std::filesystem::path& path, std::string_view text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string read(const std::filesystem::path& path) {
    std::ostringstream all;
    all << std::ifstream(path, std::ios::binary).rdbuf();
    return all.str();
  }

  Home home;

 private:
  std::filesystem::path root_;
};

}  // namespace barman::engine
