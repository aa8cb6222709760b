#include "engine/show/servers.h"

#include <fmt/format.h>

#include "base/text.h"
#include "engine/server/option_facts.h"

namespace barman::engine {
namespace {

// The limit, and how the latest backup stands to it.
std::string age_text(std::chrono::seconds limit, const std::optional<Time>& latest_backup_end, Time now) {
  const std::string wanted = human_duration(limit);
  if (!latest_backup_end) return wanted + " (WARNING! latest backup is No available backups old)";
  const auto age = now - *latest_backup_end;
  const std::string actual = human_duration(age);
  return age > limit ? fmt::format("{} (WARNING! latest backup is {} old)", wanted, actual)
                     : fmt::format("{} (latest backup: {} )", wanted, actual);
}

}  // namespace

std::string state_suffix(const config::Server& server) {
  if (!server.active()) return " (inactive)";
  return server.disabled() ? " (WARNING: disabled)" : "";
}

std::string description_with_state(const config::Server& server) {
  return server.values.text("description") + state_suffix(server) + (server.passive() ? " (Passive)" : "");
}

ServerDescription describe_server(const config::Server& server, Facts status,
                                  const std::optional<Time>& latest_backup_end, Time now) {
  Facts facts = option_facts(server);
  facts["name"] = server.name;
  facts["active_model"] = text_fact(server.active_model);
  facts["passive_node"] = server.passive();
  const auto limit = server.values.interval("last_backup_maximum_age");
  // Text in every format, as the original has it.
  facts["last_backup_maximum_age"] =
      limit ? age_text(limit->length, latest_backup_end, now) : std::string("None");
  facts.merge(status);
  return {server.name, server.name + state_suffix(server), std::move(facts)};
}

}  // namespace barman::engine
