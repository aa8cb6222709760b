#include "cli/servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "config/settings.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

// Paths that two servers share make every server unusable.
bool has_global_errors(Parts& parts) {
  for (const std::string& error : parts.configuration.errors) parts.out.error(error);
  return !parts.configuration.errors.empty();
}

const config::Server* find_server(Parts& parts, const std::string& name) {
  const auto found = parts.configuration.servers.find(name);
  if (found != parts.configuration.servers.end()) return &found->second;
  parts.out.error(fmt::format("Unknown server '{}'", name));
  return nullptr;
}

// Whether to go on with the server, said if not.
bool passes(Parts& parts, Then then, const std::string& skipping, const std::string& error) {
  if (then == Then::kSkip) parts.out.info(skipping);
  if (then == Then::kError) parts.out.error(error);
  return then == Then::kRun;
}

bool is_wanted(Parts& parts, const config::Server& server, const ServerRules& rules) {
  const std::string& name = server.name;
  if (!server.active() && !passes(parts, rules.inactive, fmt::format("Skipping inactive server '{}'", name),
                                  "Inactive server: " + name)) {
    return false;
  }
  if (server.disabled() &&
      !passes(parts, rules.disabled, fmt::format("Skipping temporarily disabled server '{}'", name),
              server.messages.front())) {
    return false;
  }
  return !server.passive() || passes(parts, rules.passive, fmt::format("Skipping passive server '{}'", name),
                                     fmt::format("Server '{}' is passive", name));
}

std::set<std::string> wanted_names(Parts& parts, const std::vector<std::string>& names) {
  if (std::ranges::find(names, "all") == names.end()) return {names.begin(), names.end()};
  if (names.size() > 1) parts.out.error("You cannot use 'all' with other server names");
  std::set<std::string> all;
  for (const auto& [name, server] : parts.configuration.servers) all.insert(name);
  return all;
}

}  // namespace

const config::Server* select_server(Parts& parts, const std::string& name, const ServerRules& rules) {
  if (has_global_errors(parts)) return nullptr;
  if (name == "all") {
    parts.out.error("You cannot use 'all' in a single server context");
    return nullptr;
  }
  const config::Server* server = find_server(parts, name);
  return server != nullptr && is_wanted(parts, *server, rules) ? server : nullptr;
}

void for_each_server(Parts& parts, const std::vector<std::string>& names, const ServerRules& rules,
                     const std::function<void(const config::Server&)>& body) {
  if (has_global_errors(parts)) return;
  for (const std::string& name : wanted_names(parts, names)) {
    const config::Server* server = find_server(parts, name);
    if (server == nullptr || !is_wanted(parts, *server, rules)) continue;
    try {
      body(*server);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      parts.out.error(error.what());
    } catch (const std::exception& error) {
      parts.out.exception(server->name + ": " + error.what());
    }
  }
}

}  // namespace barman::cli
