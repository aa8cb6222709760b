#include "config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "config/path_conflicts.h"
#include "config/resolve.h"
#include "config/server_rules.h"
#include "config/sources.h"

namespace barman::config {
namespace {

namespace fs = std::filesystem;

fs::path home_of_user() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? fs::path() : fs::path(home);
}

bool readable_file(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && ::access(file.c_str(), R_OK) == 0;
}

// The name of the model that config-switch left for the server.
std::optional<std::string> stored_model(const Server& server) {
  std::ifstream in(server.path("backup_directory") / ".active-model.auto");
  std::string name;
  std::getline(in, name);
  while (!name.empty() && std::string_view(" \t\r").find(name.back()) != std::string_view::npos)
    name.pop_back();
  return name.empty() ? std::nullopt : std::optional(name);
}

void apply_model(Server& server, const std::map<std::string, Model>& models) {
  const auto name = stored_model(server);
  if (!name) return;
  const auto model = models.find(*name);
  if (model == models.end()) {
    server.messages.push_back(
        fmt::format("The active model '{}' does not exist. Bring its section back, or reset it with 'barman "
                    "config-switch "
                    "{} --reset'",
                    *name, server.name));
    return;
  }
  const auto& values = model->second.values;
  if (values.text("cluster") != server.values.text("cluster")) {
    server.messages.push_back(
        fmt::format("Model '{}' has 'cluster={}', which is not compatible with 'cluster={}' from server '{}'",
                    *name, values.text("cluster"), server.values.text("cluster"), server.name));
    return;
  }
  for (const auto& option : all_options()) {
    if (!option.scope.model || option.name == "cluster" || option.name == "model") continue;
    if (values.has(option.name)) server.values.set(option, values.value(option), values.source(option));
  }
  server.active_model = *name;
}

// A server's name becomes part of file names.
void check_name(Server& server) {
  if (server.name.find('/') == std::string::npos && server.name != "." && server.name != "..") return;
  server.messages.push_back(fmt::format(
      "The name '{}' cannot be used for files: rename the section so that it has no '/' and is not '.' "
      "or '..'",
      server.name));
}

void add_section(const std::string& name, const Section& section, Configuration& configuration) {
  if (name == "all") {
    throw Error(ErrorKind::kUsage, "the reserved word 'all' is not allowed as server name.Please rename it.");
  }
  if (is_model(name, section)) {
    auto values = resolve_model(name, section, configuration.warnings);
    configuration.models.emplace(name, Model{name, std::move(values)});
    return;
  }
  auto values = resolve_server(name, section, configuration.global, configuration.warnings);
  configuration.servers.emplace(name, Server{.name = name, .values = std::move(values), .messages = {}});
}

}  // namespace

fs::path find_main_file(const std::optional<std::string>& given, const Environment& environment) {
  const auto named = given ? given : environment.config_file_variable;
  if (named) {
    if (std::error_code error; fs::exists(*named, error)) return *named;
    throw Error(ErrorKind::kUsage, fmt::format("Configuration file '{}' does not exist", *named));
  }
  for (const auto& file : {environment.home / ".barman.conf", fs::path("/etc/barman.conf"),
                           fs::path("/etc/barman/barman.conf")}) {
    if (readable_file(file)) return file;
  }
  throw Error(ErrorKind::kUsage,
              "Could not find any configuration file at default locations.\nWrite ~/.barman.conf, "
              "/etc/barman.conf or "
              "/etc/barman/barman.conf, or name a file with -c.");
}

Configuration load(const fs::path& main_file) {
  auto sources = read_sources(main_file, home_of_user());
  Configuration configuration{.main_file = main_file, .warnings = std::move(sources.warnings)};
  configuration.global = resolve_global(sources.sections.find("barman")->second, configuration.warnings);
  for (const auto& [name, section] : sources.sections) {
    if (name != "barman") add_section(name, section, configuration);
  }
  for (auto& [name, server] : configuration.servers) {
    check_name(server);
    apply_model(server, configuration.models);
    apply_rules(server, configuration.warnings);
  }
  find_path_conflicts(configuration);
  return configuration;
}

}  // namespace barman::config
