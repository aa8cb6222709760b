#include "engine/diagnose/diagnosis.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/text.h"
#include "config/value.h"
#include "engine/server/home.h"
#include "engine/server/home_catalog.h"
#include "engine/server/option_facts.h"
#include "engine/server/status.h"
#include "engine/wal/xlog_index.h"
#include "os/process.h"
#include "stream/memory.h"

namespace barman::engine {
namespace {

// Values of [barman] are shown as text, as they are written.
Fact as_text(const Fact& fact) {
  if (const auto* flag = std::get_if<bool>(&fact)) return std::string(*flag ? "true" : "false");
  if (const auto* number = std::get_if<std::int64_t>(&fact)) return std::to_string(*number);
  return fact;
}

SourcedFacts global_facts(const config::Configuration& configuration) {
  SourcedFacts facts;
  for (const config::Option& option : config::all_options()) {
    if (!option.scope.global || !configuration.global.has(option.name)) continue;
    const std::string& source = configuration.global.source(option);
    const bool is_shown = source != "default" || option.name == "barman_lock_directory" ||
                          option.name == "lock_directory_cleanup" || option.name == "config_changes_queue" ||
                          option.name == "barman_user";
    if (!is_shown) continue;
    Fact fact = option_fact(option, configuration.global.value(option));
    facts.emplace(option.name,
                  SourcedFact{option.name == "lock_directory_cleanup" ? fact : as_text(fact), source});
  }
  return facts;
}

SourcedFacts server_facts(const config::Server& server) {
  SourcedFacts facts;
  for (auto& [name, fact] : option_facts(server)) {
    facts.emplace(name, SourcedFact{fact, server.values.source(name)});
  }
  facts.emplace("name", SourcedFact{server.name, "default"});
  return facts;
}

SourcedFacts model_facts(const config::Model& model) {
  SourcedFacts facts;
  for (const config::Option& option : config::all_options()) {
    if (!option.scope.model) continue;
    const config::Value& value = model.values.value(option);
    const bool is_unset = std::holds_alternative<std::monostate>(value);
    facts.emplace(option.name,
                  SourcedFact{is_unset ? Fact() : option_fact(option, value), model.values.source(option)});
  }
  return facts;
}

// The newest segment of each timeline.
std::map<std::string, catalog::WalEntry> last_wal(const Home& home, Events& events) {
  constexpr std::size_t kSegmentName = 24;
  std::map<std::string, catalog::WalEntry> last;
  std::error_code error;
  if (!std::filesystem::exists(home.xlogdb, error)) return last;  // reading would make it
  XlogIndex(home, events).visit([&](const catalog::WalLine& line) {
    if (line.name.size() != kSegmentName) return;
    catalog::WalEntry& entry = last[std::string(line.name.substr(0, 8))];
    if (line.name < entry.name) return;
    const auto known = [](std::string_view word) {
      return word.empty() || word == "None" ? std::nullopt : std::optional(std::string(word));
    };
    entry = {std::string(line.name), line.size, line.time, known(line.compression), known(line.encryption)};
  });
  return last;
}

// Runs `learn`; a failure is a warning.
template <class Learn>
void try_to(const std::string& activity, Events& events, Learn&& learn) {
  try {
    learn();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    events.warning(fmt::format("{}: {}", activity, error.what()));
  }
}

ServerDiagnosis diagnose_server(const config::Server& server, const HomeOf& home_of,
                                postgres::Connector& connector, Events& events, const std::stop_token& stop) {
  ServerDiagnosis result{.active_model = server.active_model,
                         .config = server_facts(server),
                         .messages = server.messages,
                         .status = server_status(server, connector, stop)};
  try_to(fmt::format("reading the catalogue of server {}", server.name), events, [&] {
    const Home home = home_of(server);
    const catalog::Listing listing = HomeCatalog(home)->list();
    result.backups = listing.backups;
    for (const std::string& line : catalog::warnings_of(listing)) {
      events.warning(fmt::format("server {}: {}", server.name, line));
    }
    result.last_wal = last_wal(home, events);
  });
  return result;
}

// The first line that a program says about itself; nothing if it does not run.
std::optional<std::string> version_of(std::vector<std::string> argv, os::ProcessRunner& runner,
                                      const std::stop_token& stop) {
  std::string said;
  std::string complained;  // ssh says it there
  stream::AppendTo out(said);
  stream::AppendTo err(complained);
  try {
    if (!runner.run({.argv = std::move(argv)}, {.out = &out, .err = &err}, stop).ok()) return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    return std::nullopt;
  }
  said += complained;
  return said.substr(0, said.find('\n'));
}

std::optional<std::string> release_name() {
  std::ifstream in("/etc/os-release");
  constexpr std::string_view kKey = "PRETTY_NAME=";
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(kKey)) continue;
    line.erase(0, kKey.size());
    std::erase(line, '"');
    return "Description:\t" + line;
  }
  return std::nullopt;
}

std::optional<std::string> kernel_name() {
  utsname name{};
  if (::uname(&name) != 0) return std::nullopt;
  return fmt::format("{} {} {} {} {}", name.sysname, name.nodename, name.release, name.version, name.machine);
}

}  // namespace

Diagnosis diagnose(const config::Configuration& configuration, const HomeOf& home_of,
                   postgres::Connector& connector, os::ProcessRunner& runner, Time now, Events& events,
                   const std::stop_token& stop) {
  Diagnosis result{.global = global_facts(configuration), .errors = configuration.errors};
  result.system = {{"kernel_ver", kernel_name()},
                   {"release", release_name()},
                   {"rsync_ver", version_of({"rsync", "--version"}, runner, stop)},
                   {"ssh_ver", version_of({"ssh", "-V"}, runner, stop)},
                   {"python_ver", std::nullopt},  // there is none in it, but readers expect the key
                   {"python_executable", std::nullopt},
                   {"timestamp", local_iso_text(now, 'T')}};
  for (const auto& [name, model] : configuration.models) result.models.emplace(name, model_facts(model));
  for (const auto& [name, server] : configuration.servers) {
    result.servers.emplace(name, diagnose_server(server, home_of, connector, events, stop));
  }
  return result;
}

}  // namespace barman::engine
