// Writes docs/configuration.md; with --check, tells whether the file is as it would be written.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "config/reference.h"

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fputs("usage: barman-docs [--check] docs/configuration.md\n", stderr);
    return 2;
  }
  const std::string file = argv[argc - 1];
  const auto text = barman::config::configuration_reference();
  if (!check) {
    std::ofstream out(file, std::ios::binary);
    out << text << std::flush;
    return out ? 0 : 1;
  }
  std::ostringstream present;
  present << std::ifstream(file, std::ios::binary).rdbuf();
  if (present.str() == text) return 0;
  std::fprintf(stderr, "%s does not say what the option table says: run 'barman-docs %s'\n", file.c_str(),
               file.c_str());
  return 1;
}
