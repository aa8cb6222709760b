// A server's options as facts.
#pragma once

#include "config/settings.h"
#include "engine/server/fact.h"

namespace barman::engine {

Fact option_fact(const config::Option& option, const config::Value& value);

// Every option of a server. `disabled` tells what was found.
Facts option_facts(const config::Server& server);

// Unset as Python writes it, or the text.
Fact text_fact(const std::optional<std::string>& text);

}  // namespace barman::engine
