#include "engine/server/option_facts.h"

#include "config/value.h"

namespace barman::engine {

Fact option_fact(const config::Option& option, const config::Value& value) {
  const auto* words = std::get_if<std::vector<std::string>>(&value);
  if (option.type == config::OptionType::kChoiceSet) {
    return WordSet{option.name == "backup_options" ? "BackupOptions" : "RecoveryOptions",
                   words == nullptr ? std::vector<std::string>() : *words};
  }
  if (words != nullptr) {
    if (option.type != config::OptionType::kTablespaceLimits) return *words;
    std::map<std::string, std::int64_t> limits;
    for (const std::string& item : *words) {
      for (auto& [name, limit] : config::parse_tablespace_limits(item)) limits[name] = limit;
    }
    return limits;
  }
  return std::visit([](const auto& held) { return Fact(held); }, value);
}

Facts option_facts(const config::Server& server) {
  Facts facts;
  for (const config::Option& option : config::all_options()) {
    if (!option.scope.server) continue;
    facts.emplace(option.name, option_fact(option, server.values.value(option)));
  }
  // A policy is shown in its canonical form, and its canonical word for "main" is this one.
  if (server.values.text("wal_retention_policy") == "main" && server.values.has("retention_policy")) {
    facts["wal_retention_policy"] = std::string("MAIN");
  }
  facts["disabled"] = server.disabled();
  return facts;
}

Fact text_fact(const std::optional<std::string>& text) { return text ? Fact(*text) : Fact(); }

}  // namespace barman::engine
