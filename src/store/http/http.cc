#include "store/http/http.h"

#include <algorithm>

namespace barman::store {

std::string_view HttpAnswer::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Header::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace barman::store
