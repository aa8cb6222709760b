// Texts inside commands of the replication protocol, which takes no parameters.
#pragma once

#include <string>
#include <string_view>

namespace barman::postgres {

// 'it''s': quotes doubled, backslashes as they are.
std::string quote_literal(std::string_view text);

// "a name": for slots.
std::string quote_name(std::string_view text);

}  // namespace barman::postgres
