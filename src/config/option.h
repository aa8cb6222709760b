// Every option of the configuration: one row each. Parsing, validation, show-servers, diagnose and the
// configuration reference in docs/ all come from this table.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace barman::config {

// A parsed value. std::monostate is "unset".
struct Interval {
  std::chrono::seconds length{0};
  bool operator==(const Interval&) const = default;
};
using Value =
    std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>, Interval>;

enum class OptionType {
  kText,
  kPath,
  kFlag,
  kNumber,
  kChoice,
  kChoiceSet,
  kInterval,
  kSize,
  kSlotName,
  kAbsolutePath,
  kTextList,
  kCompressionLevel,
  kTablespaceLimits,
  kBandwidth,
  kRedundancy,
  kConninfo,
  kCommand,
  kPathOrUrl,
  kRetentionPolicy,
};

// Where an option may stand. kGlobalOnly: [barman] only; kInherited: [barman] and servers.
struct Scope {
  bool global = false;
  bool server = false;
  bool model = false;
};

struct Option {
  std::string_view name;
  Scope scope;
  OptionType type;
  std::string_view default_text;                // may hold %(barman_home)s and the like; "" is unset
  std::span<const std::string_view> choices{};  // of kChoice and kChoiceSet
  std::string_view meaning;                     // one sentence for the reference
  bool deprecated = false;
};

// In the order in which values are resolved (a default may refer to an earlier row).
std::span<const Option> all_options();
const Option* find_option(std::string_view name);

}  // namespace barman::config
