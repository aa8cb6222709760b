#include "cli/run.h"

#include <cstdio>

namespace barman::cli {

int run(int /*argc*/, char** /*argv*/) noexcept {
  std::fputs("barman: no command yet\n", stderr);
  return 1;
}

}  // namespace barman::cli
