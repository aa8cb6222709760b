// The configuration reference of the user guide, written from the option table.
#pragma once

#include <string>

namespace barman::config {

// The text of docs/configuration.md.
std::string configuration_reference();

}  // namespace barman::config
