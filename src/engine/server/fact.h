// Something known of a server, by its name: an option's value or an answer of PostgreSQL. Commands that show
// everything show facts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/backup_info.h"
#include "config/option.h"

namespace barman::engine {

struct SlotFact {
  std::string name;
  bool active = false;
  std::optional<std::string> restart_lsn{};
  bool operator==(const SlotFact&) const = default;
};

// Some words of an option that takes several.
struct WordSet {
  std::string type;  // as the original calls it: "BackupOptions"
  std::vector<std::string> words;
  bool operator==(const WordSet&) const = default;
};

// std::monostate is "unknown" or "unset".
using Fact = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>,
                          std::map<std::string, std::int64_t>, WordSet, SlotFact, config::Interval,
                          catalog::Timestamp>;
using Facts = std::map<std::string, Fact>;

}  // namespace barman::engine
