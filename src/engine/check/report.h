// What a check of one server found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace barman::engine {

class Events;

struct CheckLine {
  std::string label;
  bool ok = false;
  std::string hint{};
  std::vector<std::string> details{};  // more lines, of a configuration that is wrong

  bool operator==(const CheckLine&) const = default;
};

struct CheckReport {
  std::string server;
  bool active = true;
  bool disabled = false;
  std::vector<CheckLine> lines{};

  std::uint64_t backup_bytes = 0;  // size of the newest backup
  std::uint64_t wal_bytes = 0;     // size of the WAL archived after it

  // Whether something failed, and somebody should look.
  [[nodiscard]] bool passed() const;
};

// Whether a backup may be taken although the check of that name failed.
bool is_tolerated(std::string_view label);

// Whether no check failed but tolerated ones. Logs each result: what blocks as an error, what is tolerated as
// information.
[[nodiscard]] bool may_proceed(const CheckReport& report, Events& events);

}  // namespace barman::engine
