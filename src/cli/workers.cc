#include "cli/workers.h"

#include <algorithm>
#include <cstdint>
#include <thread>

#include "config/settings.h"

namespace barman::cli {

unsigned default_workers(const config::Server& server) {
  const auto configured =
      static_cast<unsigned>(std::max<std::int64_t>(server.values.number("parallel_jobs"), 1));
  return std::max(configured, std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

}  // namespace barman::cli
