// copy_stats of a backup in a bucket, as the original has it there.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace barman::engine {

// A Python literal. `times` by series: "data", "16384".
std::string cloud_copy_stats(const std::map<std::string, std::chrono::duration<double>>& times,
                             std::chrono::duration<double> total, unsigned workers);

}  // namespace barman::engine
