// Keys of objects, checked before they become paths.
#pragma once

#include <string_view>

namespace barman::store {

// Throws kRefused unless `key` is parts joined by single "/", none of them empty, "." or "..", and no NUL.
void check_key(std::string_view key);

}  // namespace barman::store
