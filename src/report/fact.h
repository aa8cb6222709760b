// Facts about a server as text and as JSON.
#pragma once

#include <string>

#include "engine/server/fact.h"

namespace barman::report {

// As Python prints the value: None, True, 'quoted' inside of lists, "14 days, 0:00:00".
std::string fact_text(const engine::Fact& fact);

// The value as JSON. Sets, slots and intervals, for which JSON has nothing, are their text.
std::string fact_json(const engine::Fact& fact);

}  // namespace barman::report
