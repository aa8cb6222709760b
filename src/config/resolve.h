// Turns the settings of a section into the effective value of every option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/sources.h"

namespace barman::config {

// Each appends a warning for every key that has no business in the section, and for every bad value, which is
// then treated as if it were not there.

// [barman]: what it sets, and the defaults of the purely global options. Throws kUsage without barman_home.
Values resolve_global(const Section& section, std::vector<std::string>& warnings);

// A server: its section, else [barman], else the default.
Values resolve_server(const std::string& name, const Section& section, const Values& global,
                      std::vector<std::string>& warnings);

// A model: only what it sets. Throws kUsage without cluster.
Values resolve_model(const std::string& name, const Section& section, std::vector<std::string>& warnings);

// Whether a section is a model and not a server. Throws kUsage if its `model` is not a boolean.
bool is_model(const std::string& name, const Section& section);

}  // namespace barman::config
