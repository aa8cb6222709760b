#include "engine/server/copy_stats.h"

#include <fmt/format.h>

#include "catalog/python_literal.h"

namespace barman::engine {

std::string cloud_copy_stats(const std::map<std::string, std::chrono::duration<double>>& times,
                             std::chrono::duration<double> total, unsigned workers) {
  const auto seconds = [](std::chrono::duration<double> length) {
    return catalog::format_python_float(length.count());
  };
  std::string none;
  std::string each;
  std::chrono::duration<double> sum{0};
  for (const auto& [item, time] : times) {
    const char* comma = none.empty() ? "" : ", ";
    none += fmt::format("{}'{}': 0", comma, item);
    each += fmt::format("{}'{}': {}", comma, item, seconds(time));
    sum += time;
  }
  return fmt::format(
      "{{'total_time': {0}, 'number_of_workers': {1}, 'analysis_time': 0, 'analysis_time_per_item': {{{2}}}, "
      "'copy_time_per_item': {{{3}}}, 'serialized_copy_time_per_item': {{{3}}}, 'copy_time': {0}, "
      "'serialized_copy_time': {4}}}",
      seconds(total), workers, none, each, seconds(sum));
}

}  // namespace barman::engine
