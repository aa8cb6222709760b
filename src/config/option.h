// Every option of the configuration: one row each. Parsing, validation, show-servers, diagnose and the
// configuration reference in docs/ all come from this table.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace barman::config {

struct Interval {
  std::chrono::seconds length{0};
  bool operator==(const Interval&) const = default;
};

// A parsed value. std::monostate is "unset".
using Value =
    std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>, Interval>;

// What an option's text may look like, and what Value it becomes.
enum class OptionType {
  kText,              // string
  kPath,              // string
  kFlag,              // bool
  kNumber,            // number
  kChoice,            // string: one of `choices`, lower-cased
  kExactChoice,       // string: one of `choices`, case-sensitive
  kChoiceSet,         // list: some of `choices`, lower-cased, none twice
  kInterval,          // Interval
  kSize,              // number of bytes
  kSlotName,          // string, lower-cased
  kAbsolutePath,      // string
  kTextList,          // list
  kCompressionLevel,  // string low, medium or high, or number
  kTablespaceLimits,  // list of "name:kilobytes"
  kBandwidth,         // number of kilobytes
  kRedundancy,        // number, 0 or more
  kConninfo,          // string
  kCommand,           // string, handed to a shell or split into words when it is run
  kPathOrUrl,         // string
  kRetentionPolicy,   // string in its canonical form; as written if it is not a policy
};

// Where an option may stand. `global` without `server`: purely global. Both: a server inherits it.
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
  std::span<const std::string_view> choices{};  // of the choice types
  std::string_view group;                       // heading in the reference
  std::string_view meaning;                     // one or two sentences for the reference
  bool deprecated = false;
  bool required = false;
};

// In the order in which values are resolved (a default may refer to an earlier row).
std::span<const Option> all_options();
const Option* find_option(std::string_view name);

// The place of an option in all_options().
std::size_t row_of(const Option& option);

}  // namespace barman::config
