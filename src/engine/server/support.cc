#include "engine/server/support.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace barman::engine {

namespace {

struct Rule {
  Verb verb;
  std::string_view option;
  std::array<std::string_view, 2> only{};  // the values that are supported; empty: the option must be unset
  std::string_view ability;                // what this build does not do
};

constexpr std::string_view kHooks = "run hook scripts";

constexpr std::array kRules = {
    Rule{.verb = Verb::kBackup,
         .option = "backup_method",
         .only = {"postgres", "local-to-cloud"},
         .ability = "take backups that way"},
    Rule{.verb = Verb::kBackup, .option = "pre_backup_script", .ability = kHooks},
    Rule{.verb = Verb::kBackup, .option = "pre_backup_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kBackup, .option = "post_backup_script", .ability = kHooks},
    Rule{.verb = Verb::kBackup, .option = "post_backup_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kArchiveWal, .option = "pre_archive_script", .ability = kHooks},
    Rule{.verb = Verb::kArchiveWal, .option = "pre_archive_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kArchiveWal, .option = "post_archive_script", .ability = kHooks},
    Rule{.verb = Verb::kArchiveWal, .option = "post_archive_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "pre_delete_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "pre_delete_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "post_delete_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "post_delete_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "pre_wal_delete_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "pre_wal_delete_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "post_wal_delete_script", .ability = kHooks},
    Rule{.verb = Verb::kDelete, .option = "post_wal_delete_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kRestore, .option = "pre_recovery_script", .ability = kHooks},
    Rule{.verb = Verb::kRestore, .option = "pre_recovery_retry_script", .ability = kHooks},
    Rule{.verb = Verb::kRestore, .option = "post_recovery_script", .ability = kHooks},
    Rule{.verb = Verb::kRestore, .option = "post_recovery_retry_script", .ability = kHooks},
};

}  // namespace

std::optional<std::string> unsupported(const config::Server& server, Verb verb) {
  for (const Rule& rule : kRules) {
    if (rule.verb != verb || !server.values.has(rule.option)) continue;
    const std::string value = server.values.text(rule.option);
    if (value.empty() || std::ranges::find(rule.only, value) != rule.only.end()) continue;
    const std::string way_out =
        rule.only.front().empty() ? "remove the option" : fmt::format("set it to {}", rule.only.front());
    return fmt::format("server {}: {} = {}: this build does not {} yet; {}", server.name, rule.option, value,
                       rule.ability, way_out);
  }
  return std::nullopt;
}

void require_supported(const config::Server& server, Verb verb) {
  if (const auto reason = unsupported(server, verb)) throw Error(ErrorKind::kFailed, *reason);
}

}  // namespace barman::engine
